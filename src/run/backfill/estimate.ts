// What a backfill will cost, before it starts.
import { readBackfillCosts, readDoneWindows, type BackfillCost } from '../../ledger/read/backfill-history.ts'
import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { readSettings } from '../../http/settings.ts'
import { capacityOf, parseLimits } from '../../model/rate.ts'
import type { RequestRate } from '../../model/rate-limit.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Window } from '../../model/window.ts'
import { orNothing } from './dry-run.ts'
import { mayBeProbed, probeWindows, type Probe, type ProbeLimits, type Probing } from './probe-windows.ts'
import { scheduleMs, windowTimes, type TimedWindow } from './window-times.ts'

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
  /** True if a window was too long to be read for the estimate: the numbers are the least. */
  readonly isLeast?: boolean
}

export interface EstimateOptions {
  readonly pipeline: Pipeline
  readonly stream: string
  /** The windows to read. */
  readonly windows: readonly Window[]
  readonly concurrency: number
  /** Opens what requests need, which are sent if the ledger does not know enough. @default none: it sends none */
  readonly probing?: (() => Promise<Probing>) | undefined
  /** @default 200 requests and a minute */
  readonly limits?: ProbeLimits | undefined
  readonly signal: AbortSignal
}

/** Windows that the ledger has to know. */
const MIN_KNOWN = 3

/**
 * What a window costs besides its requests, in transactions that do nothing: it is claimed, encoded, stored with its
 * counts and events, and ended. Measured with windows of 5 to 65 records.
 */
const TRANSACTIONS = 20

/** Returns what a transaction takes that does nothing. */
async function transactionMs(database: Database, signal: AbortSignal): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < 5; n += 1) {
    const startedAt = performance.now()
    await using transaction = await database.transaction({ signal })
    await transaction.query('select 1')
    await transaction.commit()
    times.push(performance.now() - startedAt)
  }
  // The middle one: the first may have connected, and any may have waited for others.
  return times.toSorted((a, b) => a - b)[2] ?? 0
}

/** How many records there are in one millisecond of the API's time, at a moment. */
interface Density {
  readonly atMs: number
  readonly perMs: number
}

/** What the numbers are taken from: the windows that are known, and the sums of those that requests are known of. */
interface Ground {
  readonly windows: readonly KnownWindow[]
  readonly cost: BackfillCost
  readonly probes: readonly Probe[]
}

interface KnownWindow {
  readonly fromMs: number
  readonly toMs: number
  readonly records: number
  /** Undefined if it does not say what another one takes. */
  readonly ms: number | undefined
}

/**
 * Returns what reading some windows will cost. Without a history it reads a few of them, if it may; else
 * it returns undefined. It writes nothing.
 */
export async function estimateBackfill(
  database: Database | undefined,
  options: EstimateOptions,
): Promise<BackfillEstimate | undefined> {
  const { pipeline, stream, windows, concurrency, signal } = options
  const name = { pipeline: pipeline.name, stream }
  const recipe = pipeline.streams[stream]?.recipe
  const none: BackfillEstimate = { ...name, windows: 0, requests: 0, records: 0, ms: 0, from: 'history', probed: 0 }
  if (!recipe || windows.length === 0) return none
  const history = database && (await orNothing(historyOf(database, name, signal)))
  const ground = history ?? (await probed(recipe, options))
  if (!ground) return undefined
  const { cost, probes } = ground
  const densities = ground.windows.map(densityOf).toSorted((a, b) => a.atMs - b.atMs)
  const records = windows.map(({ lower, upper }) => {
    const [from, to] = [Date.parse(lower), Date.parse(upper)]
    return (to - from) * densityAt(densities, (from + to) / 2)
  })
  const allRecords = sumOf(records, (one) => one)
  const isLeast = probes.some(({ isWhole }) => !isWhole)
  const perWindow = cost.requests / cost.windows
  // Each window asks at least once; the rest grows with the records.
  const perRecord = cost.records === 0 ? 0 : Math.max(0, cost.requests - cost.windows) / cost.records
  const requests = Math.max(
    windows.length * Math.min(1, perWindow) + perRecord * allRecords,
    isLeast ? windows.length * perWindow : 0,
  )
  // What earlier windows took has the ledger's work in it.
  const storingMs = history || !database ? 0 : TRANSACTIONS * (await transactionMs(database, signal))
  const { baseMs, msOfRecord } = windowTimes(timedOf(ground))
  const unlimitedMs = scheduleMs(
    records.map((one) => baseMs + msOfRecord * one + storingMs),
    concurrency,
  )
  const rates = ratesOf(recipe)
  const ms = Math.max(
    unlimitedMs,
    // The work of all readers is done by one process, and their requests share the places that the API gives.
    windows.length * storingMs,
    (requests * sumOf(probes, (one) => one.requestMs)) / Math.max(1, cost.requests) / placesOf(recipe),
    ...rates.map((rate) => limitedMs(requests, rate)),
  )
  const budget = Math.max(0, ...rates.map((rate) => requests / capacityIn(ms, rate)))
  return {
    ...name,
    windows: windows.length,
    requests: Math.round(requests),
    records: Math.round(allRecords),
    ms: Math.round(ms),
    ...(rates.length > 0 && { budget: Math.min(1, budget) }),
    from: history ? 'history' : 'probes',
    probed: sumOf(probes, (one) => one.requests),
    ...(isLeast && { isLeast }),
  }
}

/** Returns what the ledger knows; undefined if that is too little. */
async function historyOf(
  database: Database,
  name: { readonly pipeline: string; readonly stream: string },
  signal: AbortSignal,
): Promise<Ground | undefined> {
  const on = database.with({ signal })
  const [known, costs] = await Promise.all([readDoneWindows(on, name), readBackfillCosts(on, name)])
  if (known.length < MIN_KNOWN || costs.length === 0) return undefined
  const windows = known.map(({ lower, upper, records, ms }) => ({
    fromMs: lower.getTime(),
    toMs: upper.getTime(),
    records,
    ms,
  }))
  return { windows, cost: totalOf(costs), probes: [] }
}

/** Reads a few windows; returns undefined if it may not. */
async function probed(recipe: Recipe, { windows, probing, limits }: EstimateOptions): Promise<Ground | undefined> {
  if (!probing || !mayBeProbed(recipe)) return undefined
  const probes = await probeWindows(recipe, windows, { probing: await probing(), limits })
  const known = probes.map(({ window, records, ms }) => ({
    fromMs: Date.parse(window.lower),
    toMs: Date.parse(window.upper),
    records,
    ms,
  }))
  return { windows: known, cost: totalOf(probes.map((one) => ({ ...one, windows: 1 }))), probes }
}

/** Returns the windows whose times say what others take. The first probe has also connected and got its token. */
function timedOf({ windows, probes }: Ground): TimedWindow[] {
  const timed = windows.flatMap(({ records, ms }) => (ms === undefined ? [] : [{ records, ms }]))
  return probes.length > 1 ? timed.slice(1) : timed
}

const densityOf = ({ fromMs, toMs, records }: KnownWindow): Density => ({
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

function totalOf(costs: readonly BackfillCost[]): BackfillCost {
  const total = (name: keyof BackfillCost): number => sumOf(costs, (one) => one[name])
  return { requests: total('requests'), records: total('records'), windows: total('windows') }
}

const sumOf = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((sum, one) => sum + of(one), 0)

/** Requests that a run sends at once. */
const placesOf = ({ source }: Recipe): number => ('api' in source ? readSettings(source.api).concurrency : Infinity)

const ratesOf = ({ source }: Recipe): readonly RequestRate[] => ('read' in source ? [] : parseLimits(source.api.rate))

/** The time that a rate needs for so many requests. A full period, or a bucket, is there at once. */
const limitedMs = (requests: number, rate: RequestRate): number =>
  (Math.max(0, requests - capacityOf(rate)) * rate.periodMs) / rate.requests

/** The requests that a rate admits in a time. */
const capacityIn = (ms: number, rate: RequestRate): number => capacityOf(rate) + (ms * rate.requests) / rate.periodMs
