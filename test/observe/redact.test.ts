import { describe, expect, test } from '@jest/globals'
import { HttpError } from '../../src/model/errors.ts'
import { redactError, redactText, redactUrl } from '../../src/observe/redact.ts'

describe('a URL', () => {
  test.each([
    'api_key',
    'token',
    'key',
    'access_token',
    'apikey',
    'api-key',
    'access-token',
    'secret',
    'password',
    'pwd',
    'client_secret',
    'API_KEY',
    'Token',
    'api%5Fkey',
  ])('shows no value of a parameter named %s', (name) => {
    expect(redactUrl(`https://api.example/x?page=2&${name}=s3cr3t&limit=5`)).toBe(
      `https://api.example/x?page=2&${name}=***&limit=5`,
    )
  })

  test('keeps the bytes of every other parameter', () => {
    const url = 'https://api.example/x?page_token=abc%20d&monkey=1&keys=2&q=%E3%81%82&token'
    expect(redactUrl(url)).toBe(url)
  })

  test('shows no user and no token in its fragment', () => {
    expect(redactUrl('https://me:s3cr3t@api.example/x')).toBe('https://***@api.example/x')
    expect(redactUrl('https://api.example/x#access_token=s3cr3t')).toBe('https://api.example/x#access_token=***')
    expect(redactUrl(new URL('https://api.example/x?key=1'))).toBe('https://api.example/x?key=***')
  })

  test('shows no session that a server of Java writes into the path', () => {
    const url = 'https://api.example/home;v=1;jsessionid=5f0c9d1e.node1/x?page=2'
    expect(redactUrl(url)).toBe('https://api.example/home;v=1;jsessionid=***/x?page=2')
    expect(redactUrl(new URL(url.toUpperCase()))).not.toContain('5F0C')
    expect(redactText(`see ${url} for more`)).not.toContain('5f0c')
  })
})

describe('a text', () => {
  test.each([
    ['see https://me:s3cr3t@api.example/x', 'see https://***@api.example/x'],
    ['{"access_token":"s3cr3t","id":1}', '{"access_token":"***","id":1}'],
    ['authorization: Bearer s3cr3ts3cr3t', 'authorization: ***'],
    ['sent Bearer s3cr3ts3cr3t there', 'sent Bearer *** there'],
    ['GET /x?api_key=s3cr3t&page=2', 'GET /x?api_key=***&page=2'],
    ['the monkey: eats', 'the monkey: eats'],
  ])('is redacted: %s', (text, shown) => {
    expect(redactText(text)).toBe(shown)
  })
})

test('an error loses its secrets in message, stack and every cause', () => {
  const error = new Error('outer s3cr3t', { cause: new TypeError('inner s3cr3t', { cause: 's3cr3t is no error' }) })
  redactError(error, (text) => text.replaceAll('s3cr3t', '{secret:X}'))
  expect(error.message).toBe('outer {secret:X}')
  expect(error.stack).not.toContain('s3cr3t')
  expect((error.cause as Error).message).toBe('inner {secret:X}')
  expect((error.cause as Error).stack).not.toContain('s3cr3t')
})

test('the location of a failed request loses its secrets', () => {
  const location = 'GET /a (redirected to https://files.example/s3cr3t)'
  const error = new HttpError(`${location} was not requested`, { kind: 'not sent', location })
  redactError(error, (text) => text.replaceAll('s3cr3t', '{secret:X}'))
  expect(error.location).toBe('GET /a (redirected to https://files.example/{secret:X})')
  expect(error.message).not.toContain('s3cr3t')
})

test('redacting an error that is its own cause ends', () => {
  const error = new Error('s3cr3t')
  error.cause = error
  redactError(error, (text) => text.replaceAll('s3cr3t', '***'))
  expect(error.message).toBe('***')
})
