import { randomBytes } from 'node:crypto'
import { fillLedger } from '../../bench/ledger-fill.ts'
import { openDatabase } from '../../src/database/database.ts'
import { byCursor, http, pipeline, since, until } from '../../src/index.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { administer, urlOf } from '../support/database.ts'

export const STREAMS = ['a', 'b', 'c'] as const
type Stream = (typeof STREAMS)[number]
/** What is wrong with the next answers of a stream. */
type Fault = 'none' | 'second page fails' | 'a total that is not reached' | 'a value that is refused'

export interface Api extends ApiServer {
  readonly faults: Record<Stream, Fault>
}

/** Lists of four records, two on a page, which obey `since` and `until`. */
export async function faultyApi(): Promise<Api> {
  const faults: Api['faults'] = { a: 'none', b: 'none', c: 'none' }
  const server = await apiServer(({ path, query }) => {
    const stream = path.slice(1) as Stream
    const from = query.get('since') ?? ''
    const to = query.get('until') ?? '9'
    const all = [1, 2, 3, 4]
      .map((id) => ({ id, at: `2024-01-0${id}T00:00:00Z`, amount: id === 2 ? amountOf(faults[stream]) : id }))
      .filter(({ at }) => at >= from && at < to)
    const start = Number(query.get('after') ?? 0)
    if (start > 0 && faults[stream] === 'second page fails') return { status: 400, json: { error: 'no' } }
    return {
      headers: faults[stream] === 'a total that is not reached' ? { 'x-total-count': '50' } : {},
      json: { rows: all.slice(start, start + 2), next: start + 2 < all.length ? start + 2 : null },
    }
  })
  return Object.assign(server, { faults })
}

const amountOf = (fault: Fault): number | string => (fault === 'a value that is refused' ? 'two' : 2)

export const shopOf = ({ origin }: ApiServer) => {
  const list = (name: Stream) =>
    http(origin)
      .get<{ rows: { id: number; at: string; amount: number }[]; next: number | null }>(`/${name}`, { since, until })
      .pages(byCursor('after', 'next'))
      .records('rows')
      .incremental('at')
  const columns = { amount: 'bigint' } as const
  return pipeline('shop', {
    streams: {
      a: list('a').into('shop.a', { key: 'id', columns }),
      b: list('b').into('shop.b', { key: 'id', columns }),
      c: list('c').into('shop.c', { key: 'id', columns, write: 'append' }),
    },
  })
}

/** Numbers below 1 that a seed decides. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/**
 * Leaves a ledger that had every kind of trouble in an order that the seed decides, then a good run, and after that 360
 * runs without any. All of it is older than 90 days.
 */
export async function troubledLedger(url: string, api: Api, seed: number): Promise<void> {
  const random = randomOf(seed)
  const shop = shopOf(api)
  const options = { database: url, environment: {} }
  const one = (): Stream => STREAMS[Math.floor(random() * STREAMS.length)]!
  const runWith = async (fault: Fault): Promise<void> => {
    const stream = one()
    api.faults[stream] = fault
    await runPipeline(shop, { ...options, streams: [stream], full: random() < 0.5 })
    api.faults[stream] = 'none'
  }
  const troubles = [
    () => runWith('a total that is not reached'),
    () => runWith('a value that is refused'),
    () => runWith('a value that is refused'),
    () => backfillPipeline(shop, { ...options, stream: 'a', from: '2024-01-01', to: '2024-01-05', window: '1d' }),
    async () => {
      api.faults.b = 'second page fails'
      await backfillPipeline(shop, { ...options, stream: 'b', from: '2024-01-01', to: '2024-01-05', window: '4d' })
      api.faults.b = 'none'
    },
  ]
  await runPipeline(shop, options)
  for (const trouble of troubles.toSorted(() => random() - 0.5)) await trouble()
  await runPipeline(shop, options)
  // An interrupted read that is open since.
  const stuck = one()
  api.faults[stuck] = 'second page fails'
  await runPipeline(shop, { ...options, streams: [stuck], full: true })
  api.faults[stuck] = 'none'
  await using database = await openDatabase({ url })
  const age = "- interval '90 days'"
  await database.query(`update sluice.runs set started_at = started_at ${age}, finished_at = finished_at ${age}`)
  await database.query(
    `update sluice.slices set created_at = created_at ${age}, started_at = started_at ${age},
            finished_at = finished_at ${age}`,
  )
  await database.query(`update sluice.rejects set created_at = created_at ${age}, settled_at = settled_at ${age}`)
  await database.query(`update sluice.events set at = at ${age}`)
  await fillLedger(database, { slices: 1_080, runs: 360 })
}

/** Two databases with the same rows. */
export async function twins(
  build: (url: string) => Promise<void>,
): Promise<AsyncDisposable & Record<'whole' | 'pruned', string>> {
  const [whole, pruned] = [`test_${randomBytes(6).toString('hex')}`, `test_${randomBytes(6).toString('hex')}`]
  await administer(`create database ${whole} template sluice_template strategy file_copy`)
  await build(urlOf(whole))
  await administer(`create database ${pruned} template ${whole} strategy file_copy`)
  return {
    whole: urlOf(whole),
    pruned: urlOf(pruned),
    [Symbol.asyncDispose]: async () => {
      for (const name of [whole, pruned]) await administer(`drop database ${name} with (force)`)
    },
  }
}

/** The same with a fixed seed, and an API that is gone. */
export async function oldLedger(url: string): Promise<void> {
  await using api = await faultyApi()
  await troubledLedger(url, api, 7)
}
