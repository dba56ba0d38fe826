import { afterEach, expect, test } from '@jest/globals'
import { baseUrl } from '../../../src/index.ts'

afterEach(() => {
  delete process.env['SOME_API']
})

test('an API stands where the definition says', () => {
  expect(baseUrl('SOME_API', 'https://api.example')).toBe('https://api.example')
  process.env['SOME_API'] = ''
  expect(baseUrl('SOME_API', 'https://api.example')).toBe('https://api.example')
})

test('the environment may replace it', () => {
  process.env['SOME_API'] = 'http://127.0.0.1:8080/api'
  expect(baseUrl('SOME_API', 'https://api.example')).toBe('http://127.0.0.1:8080/api')
})

test.each(['127.0.0.1:8080', 'ftp://api.example', 'http://', 'user:s3cret@api.example'])(
  '%s is refused by the name of its variable, and not repeated',
  (text) => {
    process.env['SOME_API'] = text
    expect(() => baseUrl('SOME_API', 'https://api.example')).toThrow(/SOME_API .* is not a URL/)
    expect(() => baseUrl('SOME_API', 'https://api.example')).not.toThrow(text)
  },
)
