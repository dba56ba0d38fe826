import { describe, expect, test } from '@jest/globals'
import { isOwnOrigin, requestLabel, readAddresses, urlOf, withoutParameters } from '../../src/http/address.ts'
import { HttpError, UsageError } from '../../src/model/errors.ts'

const api = readAddresses({ base: 'https://api.example/v1/', allowedOrigins: ['https://files.example/anything'] })
const made = (url: string, query = {}): string => urlOf(api, { url, query }).href

describe('a URL', () => {
  test.each([
    ['/customers', 'https://api.example/v1/customers'],
    ['customers', 'https://api.example/v1/customers'],
    ['', 'https://api.example/v1'],
    ['?page=2', 'https://api.example/v1?page=2'],
    ['https://api.example/v2/x', 'https://api.example/v2/x'],
    ['HTTPS://api.example/x', 'https://api.example/x'],
    ['//evil.example/x', 'https://api.example/v1//evil.example/x'],
    ['.evil.example/x', 'https://api.example/v1/.evil.example/x'],
    ['/x#fragment', 'https://api.example/v1/x'],
    ['/x#', 'https://api.example/v1/x'],
    ['https://me:pw@api.example/x', 'https://api.example/x'],
  ])('made of %j is %s', (url, whole) => {
    expect(made(url)).toBe(whole)
  })

  test('keeps the encoding of parameters that are not replaced', () => {
    expect(made('https://api.example/x?query=%E3%81%82&sig=a+b%2Fc')).toBe(
      'https://api.example/x?query=%E3%81%82&sig=a+b%2Fc',
    )
    expect(made('/x?sig=a+b%2Fc&page=1', { page: '2' })).toBe('https://api.example/v1/x?sig=a+b%2Fc&page=2')
  })

  test('has a replaced parameter once, however its name was encoded, and one for each item of a list', () => {
    expect(made('/x?updated%5Bgte%5D=1&a=1', { 'updated[gte]': '2', a: ['3', '4'] })).toBe(
      'https://api.example/v1/x?updated%5Bgte%5D=2&a=3&a=4',
    )
    expect(made('/x', { q: 'a b&c=d+é' })).toBe('https://api.example/v1/x?q=a%20b%26c%3Dd%2B%C3%A9')
  })

  test('loses the parameters that are named', () => {
    expect(withoutParameters(new URL('https://api.example/x?api_key=s&page=2'), ['api_key']).href).toBe(
      'https://api.example/x?page=2',
    )
  })

  test('that is not valid throws', () => {
    expect(() => made('https://{secret:X}.example/')).toThrow(HttpError)
  })
})

describe('an origin', () => {
  test.each([
    ['https://api.example/x', true],
    ['https://files.example/y', false],
  ])('of %s is the own one: %s', (url, own) => {
    expect(isOwnOrigin(api, new URL(url), 'GET /x')).toBe(own)
  })

  test.each([
    'http://api.example/x',
    'https://api.example:8443/x',
    'https://api.example.evil.example/x',
    'https://evil.example/x?token=s3cr3t',
  ])('of %s is refused', (url) => {
    const label = requestLabel(api, 'GET', new URL(url))
    expect(() => isOwnOrigin(api, new URL(url), label)).toThrow(
      `${label} was not requested: it is not on https://api.example. To follow it without credentials, add `,
    )
    expect(label).not.toContain('s3cr3t')
  })
})

test('the label of a request has its path below the base', () => {
  expect(requestLabel(api, 'GET', urlOf(api, { url: '/topics/9/posts', query: { page: '2' } }))).toBe(
    'GET /topics/9/posts',
  )
  expect(requestLabel(api, 'POST', new URL('https://api.example/v10/x'))).toBe('POST /v10/x')
  expect(requestLabel(api, 'GET', new URL('https://files.example/x'))).toBe('GET https://files.example/x')
})

test.each([
  [{ base: 'api.example' }, 'is not the base of an API'],
  [{ base: 'ftp://api.example' }, 'is not the base of an API'],
  [{ base: 'https://me:s3cr3t@api.example' }, 'credentials do not belong in the base'],
  [{ base: 'https://api.example/x?key=1' }, 'the base has a query or a fragment'],
  [{ base: 'https://api.example', allowedOrigins: ['files.example'] }, 'is not an origin'],
])('%j throws a UsageError', (wrong, problem) => {
  expect(() => readAddresses(wrong)).toThrow(UsageError)
  expect(() => readAddresses(wrong)).toThrow(problem)
  expect(() => readAddresses(wrong)).not.toThrow('s3cr3t')
})
