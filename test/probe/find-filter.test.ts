// The parameter that filters by the last change, where an API is strict about the names of parameters.
import { expect, test } from '@jest/globals'
import { readSecrets } from '../../src/observe/secrets.ts'
import { namesIn } from '../../src/probe/find-filter.ts'
import { probe } from '../../src/probe/probe.ts'
import { MAX_REQUESTS } from '../../src/probe/send.ts'
import { pipelineText } from '../../src/probe/write-pipeline.ts'
import { apiServer, type ApiRequest } from '../support/api-server.ts'

const START = 1_735_689_600_000
const RECORDS = Array.from({ length: 6 }, (_, n) => ({ id: n, title: `t${n}`, last_modified: START + n }))
const GONE = { id: 9, last_modified: START + 9, deleted: true }

/** Pages of three. */
function answer({ query, headers }: ApiRequest, data: readonly object[]) {
  const at = Number(query.get('_token') ?? 0)
  const next = at === 0 && data.length > 3 && { 'next-page': `http://${headers.host}/tasks?_token=3` }
  return { json: { data: data.slice(at, at + 3) }, headers: { ...next } }
}

const since = (bound: string | null): typeof RECORDS =>
  RECORDS.filter((one) => bound === null || one.last_modified >= Number(bound))

const probed = (origin: string) =>
  probe(`${origin}/tasks`, { secrets: readSecrets({}), signal: new AbortController().signal })

test('an API that knows one of the usual names only, and with it sends what was deleted', async () => {
  // As Kinto: a name of no field is a filter that finds nothing.
  await using kinto = await apiServer((request) => {
    const bound = request.query.get('min_last_modified')
    const isUnknown = [...request.query.keys()].some((name) => !['_token', 'min_last_modified'].includes(name))
    return answer(request, isUnknown ? [] : [...(bound === null ? [] : [GONE]), ...since(bound)])
  })
  const { found, facts } = await probed(kinto.origin)
  expect(facts).toContainEqual({ label: 'cursor', text: expect.stringContaining('; min_last_modified=… leaves out') })
  const text = pipelineText(found!)
  expect(text).toContain('{ min_last_modified: unixMs(since) }')
  expect(text).toContain('  title?: string\n  last_modified: number\n  deleted?: boolean\n')
  expect(text.replaceAll('\n// ', ' ')).toContain('.deleted((record) => record.deleted === true) after .records(')
})

test.each([
  ['modified-from', 'Use one of id, modified-from, modified-to.', { at: 'last_modified', unit: 'ms' }, /^$/],
  ['changes', 'No such filter.', undefined, /by `last_modified`\? To usual names it says: No such filter\. Then add/],
])('an API that refuses what it does not know, and knows %s', async (known, message, cursor, asked) => {
  await using server = await apiServer((request) => {
    const isKnown = [...request.query.keys()].every((name) => name === '_token' || name === known)
    return isKnown ? answer(request, since(request.query.get(known))) : { status: 400, json: { message } }
  })
  const { found } = await probed(server.origin)
  expect(found?.streams[0]?.cursor).toEqual(cursor)
  expect(found?.streams[0]?.query).toEqual(cursor ? { [known]: { bound: 'since', as: 'unix ms' } } : {})
  expect(found?.streams[0]?.questions?.filter((one) => one.includes('filter')).join(' ')).toMatch(asked)
  expect(server.requests.length).toBeLessThanOrEqual(MAX_REQUESTS)
})

test('the names of bounds that an answer tells', () => {
  const text = '{"message":"Allowed: page, since_id, updated_from, updatedTo, filter[updated_at][gte], createdAfter"}'
  expect(namesIn(text, 'updated_at')).toEqual(['updated_from', 'filter[updated_at][gte]'])
  expect(namesIn('try _since or lastUpdatedAfter, because it was updated', 'lastUpdated')).toEqual([
    '_since',
    'lastUpdatedAfter',
  ])
  expect(namesIn('Unknown filter field', 'last_modified')).toEqual([])
})
