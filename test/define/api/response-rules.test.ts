import { describe, expect, test } from '@jest/globals'
import {
  basic,
  byPage,
  clientCredentials,
  describePipeline,
  fromData,
  http,
  inHeader,
  pipeline,
  secret,
  toData,
  type Pipeline,
  type ResponseRule,
} from '../../../src/index.ts'
import { definitionHash } from '../../../src/read/definition-hash.ts'
import type { RuleData } from '../../../src/model/response-rule.ts'

const base = 'https://api.example/v1'
const auth = clientCredentials({ tokenUrl: '/token', clientId: 'a', clientSecret: secret('S') })

const rulesOf = (rules: readonly ResponseRule[]): readonly RuleData[] | undefined =>
  http(base, { auth, responseRules: rules }).api.responseRules

const rows = (options: { emptyOn?: number[]; responseRules?: ResponseRule[] }, ofApi: ResponseRule[] = []) =>
  http(base, { responseRules: ofApi }).get<{ id: number }[]>('/rows', {}, options).pages(byPage('page')).records()

const pipelineOf = (...given: Parameters<typeof rows>): Pipeline =>
  pipeline('p', { streams: { rows: rows(...given).into('a.rows', { key: 'id' }) } })

describe('a rule', () => {
  test('is data: regular expressions become patterns, and names of headers become lower case', () => {
    expect(
      rulesOf([
        {
          status: [400, '5xx'],
          header: { 'X-State': /^down$/i, 'content-type': 'text/html' },
          body: { 'error.code': 5, 'error.text': /gone/, ok: false, data: null },
          text: /maintenance/,
          action: 'retry',
          wait: { at: inHeader('X-Reset'), unit: 'unix' },
        },
      ]),
    ).toEqual([
      {
        status: [400, '5xx'],
        header: { 'x-state': { pattern: '^down$', flags: 'i' }, 'content-type': 'text/html' },
        body: { 'error.code': 5, 'error.text': { pattern: 'gone' }, ok: false, data: null },
        text: { pattern: 'maintenance' },
        action: 'retry',
        wait: { at: { header: 'x-reset' }, unit: 'unix' },
      },
    ])
  })

  test.each<[string, unknown, string]>([
    ['no object', 5, "must be an object, as in { status: 404, action: 'empty' }"],
    ['no action', { status: 404 }, 'action must be one of retry, empty, skip, renew, fail, not undefined'],
    ['another action', { status: 404, action: 'ignore' }, 'action must be one of retry, empty, skip, renew, fail'],
    ['no condition', { action: 'retry' }, 'has no condition, so it would fit every response. Give status, header'],
    [
      'a misspelt condition',
      { stauts: 404, action: 'empty' },
      'there is no option "stauts". Did you mean "status"? It has status, header, body',
    ],
    [
      'an option of another action',
      { status: 404, expected: true, action: 'empty' },
      "expected belongs to action 'skip'",
    ],
    ['a wrong status', { status: 4040, action: 'empty' }, 'status: 4040 is no status'],
    ['a wrong class', { status: '6xx', action: 'empty' }, 'status: "6xx" is no status'],
    ['no status in a list', { status: [], action: 'empty' }, 'status is an empty list, so the rule can never fit'],
    ['every page', { status: 200, action: 'empty' }, 'status 200 fits every page, so nothing would be read'],
    ['every page', { status: ['4xx', '2xx'], action: 'skip' }, 'status 2xx fits every page'],
    ['a condition without a name', { body: {}, action: 'retry' }, 'body must be an object with at least one name'],
    [
      'an object as a value',
      { body: { a: { b: 1 } }, action: 'retry' },
      'body: "a" must be text, a number, true, false',
    ],
    ['a text that is no expression', { text: 'gone', action: 'retry' }, 'text must be text, a number'],
    ['no function', { when: true, action: 'retry' }, 'when must be a function of the response'],
    ['a wait that is no duration', { status: 403, action: 'retry', wait: 'soon' }, 'wait: "soon" is no duration'],
    [
      'a wait without a place',
      { status: 403, action: 'retry', wait: { at: '' } },
      'wait.at must be a path of the body',
    ],
    [
      'a wait with another unit',
      { status: 403, action: 'retry', wait: { at: 'a', unit: 'h' } },
      "wait.unit must be one of 's', 'ms', 'm', 'unix', 'unix ms', not 'h'",
    ],
    ['a message without a place', { status: 403, action: 'fail', message: 5 }, 'message must be a path of the body'],
  ])('with %s is refused with its place', (_, rule, problem) => {
    const good: ResponseRule = { status: 404, action: 'empty' }
    expect(() => http(base, { responseRules: [good, rule as ResponseRule] })).toThrow(
      `http("${base}"): responseRules[1]`,
    )
    expect(() => http(base, { responseRules: [good, rule as ResponseRule] })).toThrow(problem)
    expect(() => rows({ responseRules: [rule as ResponseRule] })).toThrow(`GET ${base}/rows: responseRules[0]`)
  })

  test('that renews is refused where the credentials cannot be renewed', () => {
    const responseRules: ResponseRule[] = [{ status: 403, action: 'renew' }]
    const problem = "responseRules[0]: 'renew' needs credentials that can be renewed"
    expect(() => http(base, { responseRules })).toThrow(problem)
    expect(() => http(base, { responseRules, auth: basic('a', secret('P')) })).toThrow(problem)
    expect(() => http(base).post('/x', { responseRules })).toThrow(problem)
    expect(() => http(base, { responseRules, auth })).not.toThrow()
  })

  test('must stand in a list', () => {
    expect(() => http(base, { responseRules: {} as never })).toThrow('responseRules must be a list')
  })
})

test('emptyOn is refused if it has no status, or the status of every page', () => {
  expect(() => rows({ emptyOn: [40] })).toThrow(`GET ${base}/rows: emptyOn: 40 is no status`)
  expect(() => rows({ emptyOn: [200] })).toThrow('emptyOn: status 200 fits every page')
  expect(() => rows({ emptyOn: 404 as never })).toThrow('emptyOn must be a list of statuses')
})

test('the description of a pipeline lists the rules in the order in which they are tried', () => {
  const described = describePipeline(
    pipelineOf(
      {
        emptyOn: [404, 410],
        responseRules: [
          { status: 400, body: { code: 'invalid_page_number', 'e.n': 5 }, action: 'empty' },
          { status: 403, text: /not yours/i, action: 'skip', expected: true },
          { when: (response) => response.status === 418, action: 'fail', message: 'error.message' },
        ],
      },
      [
        { header: { 'X-State': 'down' }, action: 'retry', wait: '1m' },
        { status: '4xx', action: 'retry', wait: { at: inHeader('X-Wait'), unit: 'ms' } },
      ],
    ),
  )
  expect(described).toMatchInlineSnapshot(`
"p  on command only
  rows -> a.rows (merge on id)
    GET https://api.example/v1/rows?
    pages    page=1 and up
    records  the body itself
    rule     400, code = "invalid_page_number", e.n = 5: empty
    rule     403, text ~ /not yours/i: skip as expected
    rule     (response) => response.status === 418: fail with error.message
    rule     404 or 410: empty
    rule     header x-state = "down": retry after 1m
    rule     4xx: retry after header x-wait (ms)"
`)
})

test('a pipeline with rules can be data, unless a rule has a function', () => {
  const given = pipelineOf({ responseRules: [{ text: /gone/i, action: 'empty' }] }, [{ status: 420, action: 'retry' }])
  const data = JSON.parse(JSON.stringify(toData(given))) as ReturnType<typeof toData>
  expect(describePipeline(fromData(data))).toBe(describePipeline(given))
  expect(() => toData(pipelineOf({ responseRules: [{ when: () => true, action: 'retry' }] }))).toThrow(
    'p.rows: source.request.responseRules.0.when is a function',
  )
})

test('rules that are data are checked like those of a pipeline file', () => {
  const data = structuredClone(toData(pipelineOf({ responseRules: [{ text: /gone/, action: 'empty' }] })))
  const { source } = data.streams['rows']!.recipe as unknown as {
    source: { request: { responseRules: Record<string, unknown>[] } }
  }
  source.request.responseRules[0]!['text'] = { pattern: '(' }
  expect(() => fromData(data)).toThrow(
    'p.rows: recipe.source.request: responseRules[0]: text: Invalid regular expression',
  )
})

test('rules do not change the hash of a definition, so that a slice resumes after one was added', () => {
  const table = { name: 'a.rows', write: 'merge' } as const
  const hashOf = (...given: Parameters<typeof rows>): string => definitionHash(rows(...given).recipe, table)
  expect(hashOf({ responseRules: [{ status: 403, action: 'skip' }] }, [{ status: 420, action: 'retry' }])).toBe(
    hashOf({}),
  )
})
