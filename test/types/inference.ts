// Compiled, never run: what the chain infers. A lambda without annotation that compiles is the proof.
/* oxlint-disable typescript/no-unnecessary-type-parameters */
import { z } from 'zod'
import {
  accounts,
  byCursor,
  byLastRecord,
  byNextUrl,
  byOffset,
  byPage,
  bySince,
  csv,
  fromLists,
  fromMembers,
  fromRows,
  http,
  inHeader,
  onePage,
  path,
  pipeline,
  run,
  since,
  source,
  type Json,
  type Stream,
} from '../../src/index.ts'
import type { PathTo } from '../../src/model/path.ts'
import { billing, type catalog, type forum, type others } from './pipelines.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const proves = <_Truth extends true>(): void => {}

type RowOf<Flow> = Flow extends { rows(): AsyncIterable<infer Row> } ? Row : never
proves<
  Same<RowOf<typeof billing.streams.customers>, { created: Date; id: string; email: string | null; updated: number }>
>()
proves<Same<RowOf<typeof billing.streams.invoices>, { id: string; total: number }>>()
proves<Same<RowOf<typeof forum.streams.reactions>, { postId: number; userId: number; emoji: string }>>()
proves<Same<RowOf<typeof forum.streams.posts>['authorId'], number | undefined>>()
proves<Same<RowOf<typeof forum.streams.tags>, { topicId: number; tag: string }>>()
proves<Same<RowOf<typeof catalog.streams.books>, { sku: string; price: string; isbn: string }>>()
proves<Same<RowOf<typeof others.streams.issues>['author'], string | undefined>>()
proves<
  Same<RowOf<typeof others.streams.readings>, { station: string; measuredAt: string; celsius: number; note?: string }>
>()

export async function readsTyped(): Promise<Date | undefined> {
  for await (const customer of billing.streams.customers.rows({ since: '2024-01-01' })) return customer.created
  return undefined
}

// Paths: optional, nullable, nested, unions, records and unknown.
interface Body {
  data?: { id: string; nested: { at: Date } }[] | null
  meta: { next: string | null; deep?: { cursor: number } | null }
  either: { list: { a: 1 }[] } | { error: string }
  bag: Record<string, { url: string }>
  loose: unknown
  more: boolean
}
proves<Same<PathTo<Body, boolean>, 'more' | 'loose' | `loose.${string}`>>()
proves<Same<PathTo<Body, readonly unknown[]>, 'data' | 'either.list' | 'loose' | `loose.${string}`>>()
proves<Same<PathTo<unknown, string>, string>>()
proves<Same<PathTo<Record<string, string>, string>, string>>()
const paths: PathTo<Body, string | number>[] = [
  'meta.next',
  'meta.deep.cursor',
  'either.error',
  'bag.anything.url',
  'loose',
  'loose.any.where',
]

const api = http('https://api.example')

// Records that are made of a body have the type that is named, else one of unknown values.
const sheet = api.get<{ values: unknown[][] }>('/sheet').pages(onePage())
export const ofSheet = sheet.records(fromRows<{ id: number }>('values')).map(({ id }) => ({ id: id + 1 }))
export const ofLists = sheet.records(fromLists<{ id: number }>('values.rows')).map(({ id }) => ({ id: id + 1 }))
export const loose = sheet.records(fromMembers('values')).map((member) => ({ raw: member['value'] }))
const lines = api
  .get<{ id: string }[]>('/x.csv', {}, { format: csv({ delimiter: ';' }) })
  .pages(onePage())
  .records()
export const ids = lines.map(({ id }) => ({ id: id.trim() }))
// The type of a file's records is named.
const exports = api.get<{ file: { url: string }; files: { url: string }[] }>('/exports').pages(onePage())
export const downloaded = exports.download<{ n: number }>('file.url').map(({ n }) => ({ n: n + 1 }))
export const parts = exports
  .records('files')
  .download<{ n: number }>('url')
  .map(({ n }) => ({ n: n + 1 }))
const whole = api.get<Body>('/x').pages(byCursor('after', 'meta.next')).records('data')
proves<Same<typeof whole extends Stream<infer T> ? T : never, { id: string; nested: { at: Date } }>>()
whole.incremental('nested.at', { lookback: '1d', order: 'descending' })
whole.incremental('nested.at', { lookback: 0 })
api
  .get<Body>('/x')
  .pages(byCursor('after', (body) => body.meta.deep?.cursor))
  .records((body) => body.data ?? [])
  .map((record) => record.id)
api
  .get<Body>('/x')
  .pages(byCursor('after', 'meta.next'))
  .records((body) => body.data)
  .map((record) => record.nested.at)
api
  .get<Body>('/x')
  .pages(byPage('page', { more: (body) => body.more }))
  .records('either.list', { optional: true })
  .map(({ a }) => a)
api
  .get<{ id: number; name: string | null }[]>('/x')
  .pages(byLastRecord('after', 'id'))
  .records()
  .filter((record) => record.id > 1)
api
  .get<{ items: { id: number; at: string }[]; meta: { pages: number; next: string | null } }>('/x', { since })
  .pages(bySince(byPage('page', { pages: 'meta.pages' })))
  .records('items')
  .incremental('at')
  .filter((record) => record.id > 1)
api
  .get<{ items: { at: string }[]; meta: { next: string | null } }>('/x', { since })
  .pages(bySince(byCursor('after', 'meta.next'), { exclusive: true }))
  .records('items')
api
  .get<unknown>('/x')
  .pages(onePage())
  .records('any.where')
  .map((record) => ({ record }))
api.get<unknown>('/x').pages(onePage()).records('any.where').into('a.b', { key: 'id' })
api
  .get<{ value: { '@odata.etag': string }[]; '@odata.nextLink'?: string }>('/x')
  .pages(byCursor('skip', '@odata.nextLink'))
  .records('value')

// A header stands where a path of the body may stand, and where a parameter's name may stand.
api
  .get<Body>('/x')
  .pages(byPage('page', { pages: inHeader('x-total-pages'), more: inHeader('x-more') }))
  .records('data')
api
  .get<Body>('/x')
  .pages(byOffset('offset', { total: inHeader('x-total'), limit: 'rows' }))
  .records('data')
api
  .get<Body>('/x')
  .pages(byCursor(inHeader('x-after'), inHeader('x-next')))
  .records('data')
api
  .get<Body>('/x')
  .pages(byNextUrl(inHeader('x-next-url')))
  .records('data')

// A paginator of one's own is a function of what was answered and asked.
api
  .get<Body>(path`/a/${1}/b`)
  .pages(({ body, headers, records }, asked) =>
    body.more && records.length > 0
      ? { ...asked, query: { ...asked.query, after: headers['x-after'] ?? '' } }
      : undefined,
  )
  .records('data')

// Guards narrow; an inferred one does, too.
const events = source<{ type: 'paid'; amount: string } | { type: 'left'; why: string }>(async function* () {
  yield { records: [] }
})
events.filter((event) => event.type === 'paid').map((event) => event.amount)
events.filter((event): event is { type: 'left'; why: string } => event.type === 'left').map((event) => event.why)
events.deleted((event) => event.type === 'left').map((event) => event.amount)
proves<Same<RecordOf<ReturnType<typeof undeleted>>, { type: 'paid'; amount: string } | { type: 'left'; why: string }>>()
function undeleted() {
  return events.deleted((event) => Boolean(event.type))
}

// One becomes several: a stream for each, a list for each, soon or later.
proves<Same<RecordOf<ReturnType<typeof several>>, { id: number }>>()
function several() {
  return events.flatMap((event) => (event.type === 'paid' ? [{ id: 1 }, { id: 2 }] : []))
}
proves<Same<RecordOf<ReturnType<typeof later>>, { id: number }>>()
function later() {
  return events.flatMap(async () => new Set([{ id: 1 }]))
}
type RecordOf<S> = S extends Stream<infer T> ? T : never

// A schema's output is what follows; what passes by is not changed.
proves<Same<RecordOf<ReturnType<typeof validated>>, { id: number; at: Date }>>()
function validated() {
  return source<unknown>(async function* () {
    yield { records: [] }
  }).validate(z.object({ id: z.number(), at: z.coerce.date() }))
}
proves<Same<RecordOf<ReturnType<typeof tapped>>, { type: 'paid'; amount: string } | { type: 'left'; why: string }>>()
function tapped() {
  return events.tap(
    async (event) => {
      await Promise.resolve(event.type)
    },
    { concurrency: 4 },
  )
}

// Values of an offloaded module are checked and inferred through its type.
events
  .offload<typeof import('../transform/score.ts')>(new URL('../transform/score.ts', import.meta.url), {
    concurrency: 4,
  })
  .map(({ score }) => score.toFixed())

// The request that polls a job types its state, and what its results are made of.
proves<Same<RecordOf<ReturnType<typeof exported>>, { id: string }>>()
function exported() {
  return api
    .post<{ job: { id: string } }>('/jobs')
    .job({
      id: 'job.id',
      poll: (id) => api.get<{ state: string; document: number }>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
    })
    .results(({ document }) =>
      api
        .get<{ id: string }[]>(path`/documents/${document}`)
        .pages(onePage())
        .records(),
    )
}

// Numbers as they really arrive.
proves<Same<Extract<Json<{ id: number }>['id'], bigint>, bigint>>()

export { paths }

/** Streams of several accounts: `account` needs no annotation, and the report of each account has their names. */
export async function accountsInfer(): Promise<void> {
  const shops = pipeline('shops', {
    for: accounts('SHOPS'),
    streams: (account) => {
      const orders = http(account.value('URL')).get<{ id: number }[]>('/orders').pages(onePage()).records()
      return { orders: orders.into('shops.orders', { key: 'id' }) }
    },
  })
  const report = await run(shops, { accounts: ['north'], onEvent: (_event, account) => account.toUpperCase() })
  report.accounts['north']?.streams.orders.counts.inserted.toFixed()
  // @ts-expect-error -- There is no such stream.
  void report.accounts['north']?.streams.invoices
}
