import { describe, expect, test } from '@jest/globals'
import * as sluice from '../../src/index.ts'
import { nearest } from '../../src/value/nearest.ts'

const { http, onePage, pipeline, secret } = sluice

/** Options as a file has them that no compiler has checked. */
const wrong = (options: object): never => options as never

const S = secret('S')
const api = http('https://api.example')
const endpoint = api.get<{ id: number }[]>('/x')
const pages = endpoint.pages(onePage())
const records = pages.records()
const flow = records.into('a.b', { key: 'id' })
const job = { id: 'id', done: 'done' } as never

test.each<[string, () => unknown, string]>([
  [
    'http',
    () => http('https://api.example', wrong({ timeuot: '5s' })),
    'http("https://api.example"): "timeuot" "timeout"',
  ],
  ['http, of another library', () => http('https://a.example', wrong({ retries: 3 })), '"retries" "attempts"'],
  ['get', () => api.get('/x', {}, wrong({ emptyon: [404] })), 'GET https://api.example/x: "emptyon" "emptyOn"'],
  ['post', () => api.post('/x', wrong({ jsn: {} })), 'POST https://api.example/x: "jsn" "json"'],
  ['put', () => api.put('/x', wrong({ multiPart: {} })), 'PUT https://api.example/x: "multiPart" "multipart"'],
  ['patch', () => api.patch('/x', wrong({ Json: {} })), 'PATCH https://api.example/x: "Json" "json"'],
  ['delete', () => api.delete('/x', wrong({ header: {} })), 'DELETE https://api.example/x: "header" "headers"'],
  ['graphql', () => api.graphql('{ a }', {}, wrong({ error: 'keep' })), 'POST https://api.example: "error" "errors"'],
  [
    'persisted',
    () => api.graphql('{ a }', {}, { persisted: wrong({ sha256: 'x' }) }),
    'persisted: "sha256" "sha256Hash"',
  ],
  ['fetch', () => endpoint.fetch(wrong({ signals: 1 })), '.fetch(): "signals" "signal"'],
  ['onePage', () => onePage(wrong({ atmost: 5 })), 'onePage(): "atmost" "atMost"'],
  ['byPage', () => sluice.byPage('page', wrong({ page: 'n' })), 'byPage(): "page" "pages"'],
  ['byOffset', () => sluice.byOffset('offset', wrong({ totals: 'n' })), 'byOffset(): "totals" "total"'],
  ['byCursor', () => sluice.byCursor('c', wrong('n' as never), wrong({ mor: 'm' })), 'byCursor(): "mor" "more"'],
  [
    'byLastRecord',
    () => sluice.byLastRecord('c', wrong('n' as never), wrong({ Total: 't' })),
    'byLastRecord(): "Total" "total"',
  ],
  ['byNextUrl', () => sluice.byNextUrl(wrong('n' as never), wrong({ dne: 't' })), 'byNextUrl(): "dne" "done"'],
  ['bySince', () => sluice.bySince(wrong({ exclusiv: true })), 'bySince(): "exclusiv" "exclusive"'],
  ['pages', () => endpoint.pages(onePage(), wrong({ ifchanged: true })), '.pages(): "ifchanged" "ifChanged"'],
  [
    'delta',
    () => endpoint.pages(onePage(), { delta: wrong({ at: 'd', param: 'd' }) }),
    '.pages(): delta: "param" "parameter"',
  ],
  ['records', () => pages.records(wrong('' as never), wrong({ optinal: true })), '.records(): "optinal" "optional"'],
  ['fromRows', () => sluice.fromRows('a', wrong({ headers: 'b' })), 'fromRows(): "headers" "header"'],
  ['fromMembers', () => sluice.fromMembers('a', wrong({ keys: 'b' })), 'fromMembers(): "keys" "key"'],
  ['download', () => pages.download(wrong('u' as never), wrong({ formats: 1 })), '.download(): "formats" "format"'],
  ['job', () => endpoint.job(wrong({ id: 'id', done: 'x', fail: 'y' })), '.job(): "fail" "failed"'],
  [
    'download of a job',
    () => endpoint.job(job).download('u', wrong({ record: 'x' })),
    '.download(): "record" "records"',
  ],
  [
    'incremental',
    () => records.incremental('id', wrong({ perParents: true })),
    '.incremental("id"): "perParents" "perParent"',
  ],
  ['map', () => records.map((one) => one, wrong({ order: false })), '.map(): "order" "ordered"'],
  ['flatMap', () => records.flatMap(() => [], wrong({ concurency: 2 })), '.flatMap(): "concurency" "concurrency"'],
  ['tap', () => records.tap(() => {}, wrong({ concurency: 2 })), '.tap(): "concurency" "concurrency"'],
  [
    'offload',
    () => records.offload(new URL('file:///x.ts'), wrong({ concurency: 2 })),
    '.offload(): "concurency" "concurrency"',
  ],
  ['dedupe', () => records.dedupe('id', wrong({ lasts: 2 })), '.dedupe(): "lasts" "last"'],
  [
    'inBatches',
    () => sluice.inBatches(2, () => records, wrong({ expects: 'each' })),
    'inBatches(): "expects" "expect"',
  ],
  ['into', () => records.into('a.b', wrong({ key: 'id', maxRejcets: 5 })), '.into("a.b"): "maxRejcets" "maxRejects"'],
  [
    'columns',
    () => records.into('a.b', { key: 'id', columns: { id: wrong({ typ: 'text' }) } }),
    'columns.id: "typ" "type"',
  ],
  [
    'pipeline',
    () => pipeline('p', wrong({ streams: {}, shedule: '* * * * *' })),
    'pipeline("p"): "shedule" "schedule"',
  ],
  [
    'schedule',
    () => pipeline('p', { streams: {}, schedule: wrong({ cron: '* * * * *', timezone: 'UTC' }) }),
    '"timezone" "zone"',
  ],
  ['accounts', () => sluice.accounts('SHOPS', wrong({ colum: 'shop' })), 'accounts("SHOPS"): "colum" "column"'],
  ['csv', () => sluice.csv(wrong({ delimeter: ';' })), 'csv(): "delimeter" "delimiter"'],
  ['xml', () => sluice.xml(wrong({ list: [] })), 'xml(): "list" "lists"'],
  ['zip', () => sluice.zip(wrong({ members: 'a' })), 'zip(): "members" "member"'],
  ['json', () => sluice.json(wrong({ encodings: 'a' })), 'json(): "encodings" "encoding"'],
  ['ndjson', () => sluice.ndjson(wrong({ encodings: 'a' })), 'ndjson(): "encodings" "encoding"'],
  ['apiKey', () => sluice.apiKey(S, wrong({ headers: 'x-key' })), 'apiKey(): "headers" "header"'],
  [
    'clientCertificate',
    () => sluice.clientCertificate(wrong({ cert: S, key: S })),
    'clientCertificate(): "cert" "certificate"',
  ],
  ['awsSignature', () => sluice.awsSignature(wrong({ services: 'a' })), 'awsSignature(): "services" "service"'],
  [
    'clientCredentials',
    () => sluice.clientCredentials(wrong({ scopes: 'a' })),
    'clientCredentials(): "scopes" "scope"',
  ],
  ['refreshToken', () => sluice.refreshToken(wrong({ scopes: 'a' })), 'refreshToken(): "scopes" "scope"'],
  ['session', () => sluice.session(wrong({ loginURL: '/l' })), 'session(): "loginURL" "loginUrl"'],
  [
    'lifetime',
    () => sluice.session(wrong({ loginUrl: '/l', token: 't', lifetime: { at: 'a', units: 's' } })),
    '"units" "unit"',
  ],
  [
    'sendAs',
    () => sluice.session(wrong({ loginUrl: '/l', token: 't', sendAs: { headers: 'a' } })),
    '"headers" "header"',
  ],
  ['jwt', () => sluice.jwt(wrong({ keyid: 'k' })), 'jwt(): "keyid" "keyId"'],
  [
    'googleServiceAccount',
    () => sluice.googleServiceAccount(wrong({ scopes: 'k' })),
    'googleServiceAccount(): "scopes" "scope"',
  ],
  [
    'a rule',
    () => http('https://a.example', { responseRules: [wrong({ stauts: 404, action: 'empty' })] }),
    '"stauts" "status"',
  ],
  ['rows', async () => flow.rows(wrong({ sinc: 'x' })).next(), '.rows(): "sinc" "since"'],
  ['run', async () => sluice.run(pipeline('p', { streams: { flow } }), wrong({ ful: true })), 'run(): "ful" "full"'],
  [
    'batch',
    async () => sluice.run(pipeline('p', { streams: { flow } }), { batch: wrong({ row: 5 }) }),
    'run(): batch: "row" "rows"',
  ],
  [
    'backfill',
    async () => sluice.backfill(pipeline('p', { streams: { flow } }), wrong({ form: 'x' })),
    'backfill(): "form" "from"',
  ],
  ['readStatus', async () => sluice.readStatus([], wrong({ graze: '5m' })), 'readStatus(): "graze" "grace"'],
  ['runSchedule', async () => sluice.runSchedule([], wrong({ catchup: 'all' })), 'runSchedule(): "catchup" "catchUp"'],
  ['serve', async () => sluice.serve([], wrong({ prot: 1 })), 'serve(): "prot" "port"'],
  [
    'a page of a custom source',
    async () =>
      sluice
        .source(async function* () {
          yield await Promise.resolve(wrong({ records: [], postion: 1 }))
        })
        .into('a.b', { write: 'append' })
        .rows()
        .next(),
    'source(): a page: "postion" "position"',
  ],
])('a misspelled option of %s is an error that names the right one', async (_, define, expected) => {
  const [, place = '', misspelled, right] = /^(.*?) ?("\w+") ("\w+")$/.exec(expected) ?? []
  const error: unknown = await Promise.try(define).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(sluice.UsageError)
  expect(String(error)).toContain(
    `${place.replace(/:$/, '')}${place === '' ? '' : ': '}there is no option ${misspelled}`,
  )
  expect(String(error)).toContain(`Did you mean ${right}?`)
})

test('a name that belongs elsewhere is told where, and options that are no object what they are', () => {
  expect(() => api.get('/x', {}, wrong({ params: {} }))).toThrow('The query is the second argument')
  expect(() => http('https://a.example', wrong({ token: 'x' }))).toThrow('auth: bearer(secret(')
  expect(() => sluice.byPage('page', 'meta.pages' as never)).toThrow(
    'its options must be an object, as in { start: … }',
  )
  expect(() => pipeline('p', wrong({}))).toThrow('pipeline("p"): streams is missing')
})

describe('the nearest name', () => {
  test.each([
    ['page_size', ['pageSize', 'start'], 'pageSize'],
    ['strat', ['pages', 'start'], 'start'],
    ['next', ['cursor', 'next_cursor'], 'next_cursor'],
    ['columnTypes', ['key', 'columns'], undefined],
    ['zzz', ['key', 'columns'], undefined],
    ['', ['key'], undefined],
  ])('of %s in %s is %s', (name, known, expected) => {
    expect(nearest(name, known)).toBe(expected)
  })
})
