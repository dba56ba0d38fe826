import { expect, test } from '@jest/globals'
import { http, inBatches, onePage, refreshToken, secret } from '../../src/index.ts'

/** Options as a file has them that no compiler has checked. */
const wrong = (options: object): never => options as never

const endpoint = http('https://api.example').get<{ id: number }[]>('/x')
const records = endpoint.pages(onePage()).records()

test.each<[string, () => unknown, string]>([
  [
    'inBatches',
    () => inBatches(2, () => records, wrong({ expects: 'each' })),
    'inBatches(): there is no option "expects"',
  ],
  [
    'incremental',
    () => records.incremental('id', wrong({ perParents: true })),
    '.incremental("id"): there is no option "perParents". It has startFrom, lookback',
  ],
  [
    'pages',
    () => endpoint.pages(onePage(), wrong({ first: [] })),
    '.pages(): there is no option "first". It has delta',
  ],
  [
    'refreshToken',
    () => refreshToken(wrong({ tokenUrl: '/t', clientId: 'c', refreshToken: secret('R'), scopes: 'x' })),
    'refreshToken(): there is no option "scopes"',
  ],
])('a misspelled option of %s is an error, and is not ignored', (_, define, message) => {
  expect(define).toThrow(message)
})
