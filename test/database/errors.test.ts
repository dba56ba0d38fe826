import { describe, expect, test } from '@jest/globals'
import { ConnectionLostError, isRowError, isTableChanged, isTransient, sqlState } from '../../src/database/errors.ts'
import { DatabaseError, LoadError, UsageError } from '../../src/model/errors.ts'

const of = (code: string, more: object = {}): Error => Object.assign(new Error(`error ${code}`), { code, ...more })
const system = { errno: -32, syscall: 'write' }

describe('an error is transient', () => {
  test.each(['40001', '40P01', '08000', '08006', '08P01', '57P01', '57P02', '57P03'])('by SQLSTATE %s', (code) =>
    expect(isTransient(of(code))).toBe(true),
  )
  test.each(['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ETIMEDOUT'])('%s', (code) =>
    expect(isTransient(of(code, system))).toBe(true),
  )
  test.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Client has encountered a connection error and is not queryable',
  ])('%s', (message) => expect(isTransient(new Error(message))).toBe(true))
  test('if a lost connection is among its causes', () => {
    expect(isTransient(new ConnectionLostError('gone'))).toBe(true)
    expect(isTransient(new LoadError('batch 3', { cause: new Error('write', { cause: of('40P01') }) }))).toBe(true)
  })
})

describe('an error is permanent', () => {
  test.each(['22P02', '23505', '42P01', '53100', '55P03', '57014', '58030', '25006', 'P0001', 'SL001'])(
    'by SQLSTATE %s',
    (code) => expect(isTransient(of(code))).toBe(false),
  )
  test('if connecting was already retried until its time limit', () =>
    expect(isTransient(new DatabaseError('not there', { cause: of('ECONNREFUSED', system) }))).toBe(false))
  test.each([undefined, null, 'Connection terminated', {}, new TypeError('x is no function')])('%p', (error) =>
    expect(isTransient(error)).toBe(false),
  )
})

describe('an error concerns one row', () => {
  test.each(['22001', '22P02', '23502', '23505', '23514', '54000', 'P0001'])('by SQLSTATE %s', (code) =>
    expect(isRowError(of(code))).toBe(true),
  )
  test.each(['42804', '53100', '57014', '40001', '54001', 'P0002', '21000', '55P03'])(
    'but not by SQLSTATE %s',
    (code) => expect(isRowError(of(code))).toBe(false),
  )
})

test('SQLSTATE class 42 without 42501 means that a table has changed', () => {
  expect([of('42P01'), of('42703'), of('42501'), of('23505')].map(isTableChanged)).toEqual([true, true, false, false])
})

test('the code of a system call is no SQLSTATE, and a cycle of causes ends', () => {
  expect(sqlState(of('EPIPE', system))).toBeUndefined()
  const circle = new Error('a')
  circle.cause = new Error('b', { cause: circle })
  expect(sqlState(circle)).toBeUndefined()
  expect(sqlState(new UsageError('five letters are its code'))).toBeUndefined()
  expect(sqlState(new LoadError('x', { cause: of('23505') }))).toBe('23505')
})
