// What a backfill will cost, before it starts.
import { readBackfillCosts, readDoneWindows, type BackfillCost } from '../../ledger/read/backfill-history.ts'
import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import type { RunEvent } from '../../model/event.ts'
import { capacityOf, parseLimits } from '../../model/rate.ts'
import type { RequestRate } from '../../model/rate-limit.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Secrets } from '../../model/scope.ts'
import type { Window } from '../../model/window.ts'
import { openScope } from '../../read/open-scope.ts'
import { READ_ONCE, readSteps } from '../../read/read-steps.ts'
import { isJobSource } from '../../source/jobs/job-source.ts'

/** What a backfill of one stream will cost. */
export interface BackfillEstimate {
  readonly pipeline: string
  readonly stream: string
  /** Windows to read. */
  readonly windows: number
  readonly requests: number
  /** Records that will be fetched, with parents. */
  readonly records: number
  readonly ms: number
  /** The part of the API's declared budget that it takes while it runs, from 0 to 1. Absent without a rate. */
  readonly budget?: number
  /** Where the numbers come from: earlier windows, or windows that were read for the estimate. */
  readonly from: 'history' | 'probes'
  /** Requests that the estimate itself has sent. */
  readonly probed: number
}

export interface EstimateOptions {
  readonly pipeline: Pipeline
  readonly stream: string
  /** The windows to read. */
  readonly windows: readonly Window[]
  readonly concurrency: number
  readonly secrets: Secrets
  /** Send requests if the ledger does not know enough. */
  readonly mayProbe: boolean
  readonly signal: AbortSignal
}

/** Windows that are read if the ledger does not know enough: the first, those in between, and the last. */
const PROBES = 4
/** Windows that the ledger has to know. */
const MIN_KNOWN = 3

/**
 * What a window costs besides its requests, in transactions that do nothing: it is claimed, encoded, stored with its
 * counts and events, and ended. Measured with windows of 5 to 65 records.
 */
const TRANSACTIONS = 20

/** Returns what a transaction takes that does nothing. */
async function transactionMs(database: Database, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now()
  for (let n = 0; n < 3; n += 1) {
    await using transaction = await database.transaction({ signal })
    await transaction.query('select 1')
    await transaction.commit()
  }
  return (performance.now() - startedAt) / 3
}

/** How many records there are in one millisecond of the API's time, at a moment. */
interface Density {
  readonly atMs: number
  readonly perMs: number
}

/**
 * Returns what reading some windows will cost. Without a history it reads a few of them, if it may; else
 * it returns undefined. It writes nothing.
 */
export async function estimateBackfill(
  database: Database | undefined,
  { pipeline, stream, windows, concurrency, secrets, mayProbe, signal }: EstimateOptions,
): Promise<BackfillEstimate | undefined> {
  const name = { pipeline: pipeline.name, stream }
  const recipe = pipeline.streams[stream]?.recipe
  const [known, costs] = database
    ? await Promise.all([
        readDoneWindows(database.with({ signal }), name),
        readBackfillCosts(database.with({ signal }), name),
      ])
    : [[], []]
  const none: BackfillEstimate = { ...name, windows: 0, requests: 0, records: 0, ms: 0, from: 'history', probed: 0 }
  if (!recipe || windows.length === 0) return none
  const hasHistory = known.length >= MIN_KNOWN && costs.length > 0
  if (!hasHistory && (!mayProbe || !mayBeRead(recipe))) return undefined
  const probes = hasHistory ? [] : await probe(recipe, probesOf(windows), { pipeline, secrets, signal })
  const densities = (
    hasHistory
      ? known.map(({ lower, upper, records }) => densityOf(lower.getTime(), upper.getTime(), records))
      : probes.map(({ window, records }) => densityOf(Date.parse(window.lower), Date.parse(window.upper), records))
  ).toSorted((a, b) => a.atMs - b.atMs)
  const records = windows.reduce((sum, { lower, upper }) => {
    const [from, to] = [Date.parse(lower), Date.parse(upper)]
    return sum + (to - from) * densityAt(densities, (from + to) / 2)
  }, 0)
  const cost = hasHistory ? totalOf(costs) : totalOf(probes.map(costOfProbe))
  // Each window asks at least once; the rest grows with the records.
  const perRecord = cost.records === 0 ? 0 : Math.max(0, cost.requests - cost.windows) / cost.records
  const requests = windows.length * Math.min(1, cost.requests / cost.windows) + perRecord * records
  const readers = Math.min(concurrency, windows.length)
  // What earlier windows took has the ledger's work in it. That of all readers is done by one process.
  const storingMs =
    hasHistory || !database ? 0 : windows.length * TRANSACTIONS * (await transactionMs(database, signal))
  const unlimitedMs = (requests * cost.msOfRequest) / readers + storingMs
  const rates = ratesOf(recipe)
  const ms = Math.max(unlimitedMs, ...rates.map((rate) => limitedMs(requests, rate)))
  const budget = Math.max(0, ...rates.map((rate) => requests / capacityIn(ms, rate)))
  return {
    ...name,
    windows: windows.length,
    requests: Math.round(requests),
    records: Math.round(records),
    ms: Math.round(ms),
    ...(rates.length > 0 && { budget: Math.min(1, budget) }),
    from: hasHistory ? 'history' : 'probes',
    probed: probes.reduce((sum, one) => sum + one.requests, 0),
  }
}

const densityOf = (fromMs: number, toMs: number, records: number): Density => ({
  atMs: (fromMs + toMs) / 2,
  perMs: records / (toMs - fromMs),
})

/** Returns the density at a moment: between two known ones in proportion, beyond them by the trend of all. */
function densityAt(known: readonly Density[], atMs: number): number {
  const after = known.findIndex((one) => one.atMs >= atMs)
  const [right, left] = [known[after], known[after - 1]]
  if (right && (left ?? right.atMs === atMs)) {
    if (!left || right.atMs === left.atMs) return right.perMs
    return left.perMs + ((right.perMs - left.perMs) * (atMs - left.atMs)) / (right.atMs - left.atMs)
  }
  const mean = (of: (one: Density) => number): number => known.reduce((sum, one) => sum + of(one), 0) / known.length
  const [meanAt, meanPer] = [mean((one) => one.atMs), mean((one) => one.perMs)]
  const spread = mean((one) => (one.atMs - meanAt) ** 2)
  const slope = spread === 0 ? 0 : mean((one) => (one.atMs - meanAt) * (one.perMs - meanPer)) / spread
  const most = 3 * Math.max(...known.map(({ perMs }) => perMs))
  return Math.min(most, Math.max(0, meanPer + slope * (atMs - meanAt)))
}

/** The windows to read for an estimate: evenly spread, with the first and the last. */
function probesOf(windows: readonly Window[]): Window[] {
  const count = Math.min(PROBES, windows.length)
  const last = windows.length - 1
  const indexes = Array.from({ length: count }, (_, n) => (count === 1 ? 0 : Math.round((n * last) / (count - 1))))
  return [...new Set(indexes)].flatMap((index) => windows[index] ?? [])
}

interface Probe {
  readonly window: Window
  readonly requests: number
  readonly records: number
  readonly ms: number
}

/**
 * True if reading a window for an estimate changes nothing elsewhere: a job would be started for nothing, and a source
 * of one's own or a stage may note what it has seen.
 */
const mayBeRead = ({ source, stages }: Recipe): boolean =>
  'api' in source && !isJobSource(source) && !stages.some(({ type }) => type === 'tap' || type === 'offload')

/** Reads windows one after the other, and stores nothing. */
async function probe(
  recipe: Recipe,
  windows: readonly Window[],
  { pipeline, secrets, signal }: Pick<EstimateOptions, 'pipeline' | 'secrets' | 'signal'>,
): Promise<Probe[]> {
  let requests = 0
  const emit = (event: RunEvent): void => {
    if (event.type === 'request.finished') requests += 1
  }
  await using scope = openScope({ signal, secrets, emit, account: pipeline.account })
  const probes: Probe[] = []
  for (const window of windows) {
    const [startedAt, before] = [performance.now(), requests]
    let records = 0
    for await (const page of readSteps(recipe, { since: window.lower, until: window.upper }, scope, READ_ONCE)) {
      records += page.counts.fetched + page.counts.parents
      page.hold?.[Symbol.dispose]()
    }
    probes.push({ window, requests: requests - before, records, ms: performance.now() - startedAt })
  }
  return probes
}

const costOfProbe = ({ requests, records, ms }: Probe): BackfillCost => ({
  requests,
  records,
  windows: 1,
  ms,
})

/** Adds costs up. `msOfRequest` is what one reader takes for a request, with all that it does besides. */
function totalOf(costs: readonly BackfillCost[]) {
  const sum = (of: (one: BackfillCost) => number): number => costs.reduce((all, one) => all + of(one), 0)
  const requests = sum((one) => one.requests)
  return {
    requests,
    records: sum((one) => one.records),
    windows: sum((one) => one.windows),
    msOfRequest: requests === 0 ? 0 : sum((one) => one.ms) / requests,
  }
}

const ratesOf = ({ source }: Recipe): readonly RequestRate[] => ('read' in source ? [] : parseLimits(source.api.rate))

/** The time that a rate needs for so many requests. A full period, or a bucket, is there at once. */
const limitedMs = (requests: number, rate: RequestRate): number =>
  (Math.max(0, requests - capacityOf(rate)) * rate.periodMs) / rate.requests

/** The requests that a rate admits in a time. */
const capacityIn = (ms: number, rate: RequestRate): number => capacityOf(rate) + (ms * rate.requests) / rate.periodMs
