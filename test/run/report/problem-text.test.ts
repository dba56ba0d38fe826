import { expect, test } from '@jest/globals'
import { HttpError, RateLimitedError, UsageError, type HttpErrorKind } from '../../../src/model/errors.ts'
import { problemText } from '../../../src/run/report/problem-text.ts'

/** The text without the code at its end. */
const textOf = (error: unknown, location: string): string => problemText(error, location).replace(/ \[[A-Z_]+\]$/, '')

const http = (kind: HttpErrorKind, status: number, message: string): HttpError =>
  new HttpError(message, { kind, status })

test.each([
  ['unavailable', 503, 'GET /rows answered 503', 'check that the API is up'],
  ['unavailable', 0, 'no prose that anything looks for', 'check that the API is up'],
  ['status', 404, 'GET /rows answered 404', '{ emptyOn: [404] }'],
  ['status', 422, 'GET /rows was refused', 'what the API expects in the request'],
] as const)('a request that failed as %s with %d gets its remedy by its fields', (kind, status, message, remedy) => {
  expect(textOf(http(kind, status, message), 'shop.orders')).toContain(`${message}; `)
  expect(textOf(http(kind, status, message), 'shop.orders')).toContain(remedy)
})

test.each([
  ['credentials', 401],
  ['not sent', 0],
  ['redirect', 302],
  ['graphql', 200],
] as const)('a request that failed as %s has its remedy already', (kind, status) => {
  // The prose of another kind does not count.
  const message = 'GET /rows answered 404, gave up after 5 attempts'
  expect(textOf(http(kind, status, message), 'shop.orders')).toBe(message)
})

test('an error of Sluice is left as it is, any other gets location and remedy', () => {
  // The line of the user's file, here that of this test, comes first.
  const line = /^test\/run\/report\/problem-text\.test\.ts:\d+:\d+: shop: no$/
  expect(textOf(new UsageError('shop: no'), 'x')).toMatch(line)
  expect(textOf(new RateLimitedError('wait', { until: new Date(0) }), 'x')).toBe('wait')
  expect(textOf(new TypeError('no x'), 'shop.orders')).toMatch(
    /^shop\.orders: TypeError: no x; see test\/run\/report\/problem-text\.test\.ts:\d+:\d+$/,
  )
  expect(textOf('no', 'shop.orders')).toMatch(/^shop\.orders: no was thrown, which is not an error; /)
})

test.each([
  ['53100', 'free space on the disk of the database'],
  ['57P01', 'start the database server again'],
  ['99999', 'run with --verbose to see the statement'],
])('a database error with SQLSTATE %s gets a remedy by it', (code, remedy) => {
  const error = Object.assign(new Error('it failed'), { code, severity: 'ERROR' })
  expect(textOf(error, 'shop.orders')).toContain(`(SQLSTATE ${code}); ${remedy}`)
})
