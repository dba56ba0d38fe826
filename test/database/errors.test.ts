import { describe, expect, test } from '@jest/globals'
import { ConnectionLostError, isRowError, isTableChanged, isTransient, sqlState } from '../../src/database/errors.ts'
import { DatabaseError, LoadError } from '../../src/model/errors.ts'

const of = (code: string, more: object = {}): Error => Object.assign(new Error(`error ${code}`), { code, ...more })
const system = { errno: -32, syscall: 'write' }

describe('an error may pass when the same is sent again', () => {
  test.each(['40001', '40P01', '08000', '08006', '08P01', '57P01', '57P02', '57P03'])('SQLSTATE %s', (code) =>
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
  test('a lost connection, wherever it stands among the causes', () => {
    expect(isTransient(new ConnectionLostError('gone'))).toBe(true)
    expect(isTransient(new LoadError('batch 3', { cause: new Error('write', { cause: of('40P01') }) }))).toBe(true)
  })
})

describe('an error stays when the same is sent again', () => {
  test.each(['22P02', '23505', '42P01', '53100', '55P03', '57014', '58030', '25006', 'P0001', 'SL001'])(
    'SQLSTATE %s',
    (code) => expect(isTransient(of(code))).toBe(false),
  )
  test('a server that was waited for in vain', () =>
    expect(isTransient(new DatabaseError('not there', { cause: of('ECONNREFUSED', system) }))).toBe(false))
  test.each([undefined, null, 'Connection terminated', {}, new TypeError('x is no function')])('%p', (error) =>
    expect(isTransient(error)).toBe(false),
  )
})

describe('a row is at fault', () => {
  test.each(['22001', '22P02', '23502', '23505', '23514', '54000', 'P0001'])('for %s', (code) =>
    expect(isRowError(of(code))).toBe(true),
  )
  test.each(['42804', '53100', '57014', '40001', '54001', 'P0002', '21000', '55P03'])('not for %s', (code) =>
    expect(isRowError(of(code))).toBe(false),
  )
})

test('class 42 tells of a table that has changed', () => {
  expect([of('42P01'), of('42703'), of('42501'), of('23505')].map(isTableChanged)).toEqual([true, true, false, false])
})

test('the code of a system call is no SQLSTATE, and a circle of causes ends', () => {
  expect(sqlState(of('EPIPE', system))).toBeUndefined()
  const circle = new Error('a')
  circle.cause = new Error('b', { cause: circle })
  expect(sqlState(circle)).toBeUndefined()
  expect(sqlState(new LoadError('x', { cause: of('23505') }))).toBe('23505')
})
