import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import type { ResponseRule } from '../../../src/index.ts'
import { DecodeError } from '../../../src/model/errors.ts'
import { apiServer, type ApiAnswer, type ApiHandler } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'
import { ask, dataOf } from './ask.ts'

const message = (error: Error | undefined): [boolean, string | undefined] => [
  error instanceof DecodeError,
  error?.message,
]
const broken = (): never => {
  throw new Error('no such thing')
}

describe('a rule fits', () => {
  const body = {
    code: 'past_end',
    error: { errors: [{ reason: 'one' }, { reason: 'two' }], n: 5 },
    'a.b': 1,
    tags: ['x'],
  }
  const answer: ApiAnswer = { status: 400, json: body, headers: { 'x-state': 'down, maybe' } }
  test.each<[string, Partial<ResponseRule>]>([
    ['its status', { status: 400 }],
    ['the class of its status', { status: '4xx' }],
    ['one status of a list', { status: [404, '4xx'] }],
    ['a header', { header: { 'X-State': 'down, maybe' } }],
    ['a part of a header', { header: { 'x-state': /maybe$/ } }],
    ['a value of the body', { body: { code: 'past_end' } }],
    ['a number deep in the body', { body: { 'error.n': 5 } }],
    ['a text of the body', { body: { code: /^past_/ } }],
    ['the text of a number', { body: { 'error.n': /^5$/ } }],
    ['any element of a list', { body: { 'error.errors.reason': 'one' } }],
    ['an element that is a text', { body: { tags: 'x' } }],
    ['a name with a dot', { body: { 'a.b': 1 } }],
    ['a text', { text: /"code":"past/ }],
    ['a function', { when: ({ status, body }) => status === 400 && (body as { code: string }).code === 'past_end' }],
    ['all its conditions', { status: 400, header: { 'x-state': /down/ }, body: { code: 'past_end' }, text: /two/ }],
  ])('by %s', async (_, conditions) => {
    const { response, requests } = await ask([answer], [{ ...conditions, action: 'empty' }])
    expect(response).toMatchObject({ status: 400, body: undefined, rule: { action: 'empty' } })
    expect(requests).toBe(1)
  })

  test.each<[string, Partial<ResponseRule>]>([
    ['another status', { status: 404 }],
    ['another class', { status: '5xx' }],
    ['another value', { body: { code: 'other' } }],
    ['a number as text', { body: { 'error.n': '5' } }],
    ['a missing member', { body: { 'error.code': null } }],
    ['an object', { body: { error: /./ } }],
    ['a member of a prototype', { body: { toString: /./ } }],
    ['a missing header', { header: { 'x-other': /^/ } }],
    ['one condition of two', { status: 400, body: { code: 'other' } }],
    ['a function that returns false', { when: () => false }],
  ])('not by %s: then the response is treated as without rules', async (_, conditions) => {
    const { error } = await ask([answer], [{ ...conditions, action: 'empty' }])
    expect(error).toMatchObject({ kind: 'status', status: 400, message: 'GET /x answered 400' })
  })

  test('the first time it is tried: the rules of a request come before those of the API', async () => {
    const empty: ResponseRule = { status: 400, action: 'empty' }
    const fail: ResponseRule = { status: 400, action: 'fail' }
    expect((await ask([answer], [empty], [fail])).response?.rule).toMatchObject({ action: 'empty' })
    expect((await ask([answer], [fail], [empty])).error).toMatchObject({ kind: 'rule' })
    expect((await ask([answer], [], [empty])).response?.rule).toMatchObject({ action: 'empty' })
    expect((await ask([answer], [{ status: 404, action: 'fail' }, empty, fail])).response).toBeDefined()
  })

  test('a failure whose body is packed, is no JSON, or is missing', async () => {
    const rule: ResponseRule = { status: 400, text: /^<h1>Gone/, action: 'empty' }
    const html = { status: 400, body: '<h1>Gone</h1>' }
    expect((await ask([html], [rule])).response).toBeDefined()
    expect((await ask([{ ...html, encoding: 'gzip' }], [rule])).response).toBeDefined()
    expect((await ask([{ ...html, body: gzipSync(html.body) }], [rule])).response).toBeDefined()
    expect((await ask([{ status: 400 }], [rule])).error).toMatchObject({ status: 400 })
  })

  test('a failure by the beginning of a body that is longer than 1 MB', async () => {
    const rest = 'x'.repeat(3_000_000)
    const answers = (text: string): ApiAnswer[] => [{ status: 400, body: `${text}${rest}` }]
    expect((await ask(answers('gone '), [{ text: /^gone x/, action: 'empty' }])).response).toBeDefined()
    expect((await ask(answers('gone '), [{ text: /z/, action: 'empty' }])).error).toMatchObject({ status: 400 })
    const packed: ApiAnswer = { status: 400, body: 'x'.repeat(50_000_000), encoding: 'gzip' }
    expect((await ask([packed], [{ text: /x/, action: 'empty' }])).error).toMatchObject({ status: 400 })
  })

  test('a text again, whatever the expression found before', async () => {
    const rule: ResponseRule = { text: /past/g, action: 'retry' }
    const { response, requests } = await ask([answer, answer, answer, { json: [1] }], [rule])
    expect([response?.body, requests]).toEqual([[1], 4])
  })

  test('a failure by the beginning of a body that never ends', async () => {
    const endless: ApiAnswer = {
      raw: (response) => response.writeHead(400, { 'content-type': 'text/plain' }).write('gone '.repeat(300_000)),
    }
    expect((await ask([endless], [{ text: /^gone/, action: 'empty' }])).response).toBeDefined()
  })

  test('a failure whose packed body breaks off only at the next try', async () => {
    const packed = gzipSync(JSON.stringify({ code: 'gone', more: Array.from({ length: 200 }, Math.random) }))
    const headers = { 'content-encoding': 'gzip' }
    const answers: ApiAnswer[] = [
      { status: 400, body: packed.subarray(0, 300), headers },
      { status: 400, body: packed, headers },
    ]
    const { response, requests } = await ask(answers, [{ body: { code: 'gone' }, action: 'empty' }])
    expect([response?.rule?.action, requests]).toEqual(['empty', 2])
  })

  test('a failure whose body breaks off only at the next try', async () => {
    const cut: ApiAnswer = { status: 400, json: { code: 'gone' }, breakOff: 5 }
    const { response, requests } = await ask(
      [cut, { status: 400, json: { code: 'gone' } }],
      [{ body: { code: 'gone' }, action: 'empty' }],
    )
    expect([response?.rule?.action, requests]).toEqual(['empty', 2])
  })

  test('a success whose body is no JSON', async () => {
    const rule: ResponseRule = { text: /Down for a minute/, action: 'empty' }
    const { response, requests } = await ask([{ body: '<p>Down for a minute</p>' }], [rule])
    expect([response?.rule?.action, requests]).toEqual(['empty', 1])
  })

  test('a redirect by its status and headers, which then is not followed', async () => {
    const login: ApiAnswer = { status: 302, headers: { location: '/login' } }
    const answers: ApiHandler = ({ path }) => (path === '/x' ? login : { json: [1] })
    expect((await ask(answers, [{ status: 302, header: { location: '/login' }, action: 'fail' }])).error).toMatchObject(
      {
        kind: 'rule',
        status: 302,
      },
    )
    expect(
      (await ask(answers, [{ status: 302, header: { location: '/other' }, action: 'fail' }])).response?.body,
    ).toEqual([1])
    expect((await ask(answers, [{ header: { location: '/login' }, action: 'fail' }])).response?.body).toEqual([1])
    expect((await ask(answers, [{ status: 302, text: /./, action: 'fail' }])).response?.body).toEqual([1])
  })

  test('no status 204 by its body, which it does not have', async () => {
    const { response } = await ask([{ status: 204 }], [{ body: { a: 1 }, action: 'fail' }])
    expect(response).toMatchObject({ status: 204, body: undefined })
  })

  test('a response to GraphQL before its errors are looked at', async () => {
    const limited: ApiAnswer = { json: { errors: [{ type: 'RATE_LIMITED', message: 'slow down' }] } }
    await using api = await apiServer([
      limited,
      { json: { data: { a: 1 } } },
      { json: { errors: [{ message: 'no' }] } },
    ])
    await using client = testClient({
      base: api.origin,
      responseRules: dataOf([{ body: { 'errors.type': 'RATE_LIMITED' }, action: 'retry' }]),
    })
    expect((await client.get('', { graphql: '{ a }' })).body).toEqual({ a: 1 })
    expect((await failure(client.get('', { graphql: '{ a }' }))).message).toContain('GraphQL errors: no')
  })

  test('is an error if its function fails, or returns no boolean', async () => {
    expect(message((await ask([answer], [{ when: broken, action: 'empty' }])).error)).toEqual([
      true,
      expect.stringMatching(/^GET \/x: the rule .* failed: no such thing$/),
    ])
    const asynchronous = (async () => true) as unknown as () => boolean
    expect(message((await ask([answer], [{ when: asynchronous, action: 'empty' }])).error)).toEqual([
      true,
      expect.stringMatching(/must return true or false$/),
    ])
  })
})
