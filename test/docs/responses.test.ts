// The examples of docs/RESPONSES.md: each rule does what it says with the response above it.
import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { http, inHeader, type ResponseRule } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testClient } from '../support/http-client.ts'

interface Example {
  readonly title: string
  readonly response: {
    readonly status: number
    readonly headers?: Record<string, string>
    body?: unknown
    text?: string
  }
  readonly rule: ResponseRule
}

async function examples(): Promise<Example[]> {
  const page = await readFile(new URL('../../docs/RESPONSES.md', import.meta.url), 'utf8')
  const pairs = page.matchAll(/^(\S[^\n]*):\n\n```json\n([\s\S]*?)\n```\n```ts\n([\s\S]*?)\n```/gm)
  return [...pairs].map(([, title = '', response = '', rule = '']) => ({
    title,
    response: JSON.parse(response) as Example['response'],
    // The page writes rules as a pipeline file does.
    // oxlint-disable-next-line typescript/no-implied-eval
    rule: (new Function('inHeader', `return (${rule})`) as (header: typeof inHeader) => ResponseRule)(inHeader),
  }))
}

const found = await examples()

test('the page has the examples', () => {
  expect(found).toHaveLength(10)
})

test.each(found.map((example) => [example.title, example] as const))('%s', async (_, { response, rule }) => {
  const { status, headers = {}, body, text } = response
  await using api = await apiServer([
    {
      status,
      headers: { date: 'Wed, 01 May 2024 12:00:00 GMT', ...headers },
      ...(text ? { body: text } : { json: body }),
    },
    { json: [1] },
  ])
  const { responseRules = [] } = http(api.origin, { responseRules: [rule] }).api
  await using client = testClient({ base: api.origin, responseRules })
  const outcome = await client.get('/x').then(
    ({ body, rule }) => rule?.action ?? body,
    (error: Error & { kind?: string }) => error.kind,
  )
  const expected = { retry: [1], empty: 'empty', skip: 'skip', fail: 'rule', renew: [1] }
  expect(outcome).toEqual(expected[rule.action])
})
