import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { defineErrorName, messageOf, toError } from '../../src/value/error.ts'

class TeapotError extends Error {
  static {
    defineErrorName(this)
  }
}

describe('defineErrorName', () => {
  test('gives an error the name of its class, in its stack too', () => {
    expect(new TeapotError('short and stout').name).toBe('TeapotError')
    expect(new TeapotError('short and stout').stack).toMatch(/^TeapotError: short and stout/)
  })

  test('adds no property that an inspected error would list', () => {
    expect(Object.keys(new TeapotError('x'))).toEqual([])
    expect(inspect(new TeapotError('x'))).not.toContain('name:')
  })
})

test('messageOf returns the message of an error and the text of any other value', () => {
  expect(messageOf(new TeapotError('short'))).toBe('short')
  expect(messageOf('thrown as text')).toBe('thrown as text')
  expect(messageOf(undefined)).toBe('undefined')
})

test('toError returns an error unchanged and wraps any other value', () => {
  const error = new TeapotError('short')
  expect(toError(error)).toBe(error)
  expect(toError(7)).toEqual(new Error('7'))
})
