// The cost of a backfill of one pipeline, or of all accounts of one.
import type { Pipeline } from '../../define/pipeline.ts'
import { pauseOf, pauseText } from '../../ledger/pauses.ts'
import type { RunEvent } from '../../model/event.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { openScope } from '../../read/open-scope.ts'
import { READ_ONCE } from '../../read/read-steps.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { requireSecrets } from '../chosen-streams.ts'
import { openStoreToRead } from '../open-store.ts'
import { DEFAULTS, type BackfillOptions } from '../options.ts'
import { requireUnpaused } from '../pause-watch.ts'
import { openReading, type Reading } from '../verify/open-reading.ts'
import { dryRunBackfill, orNothing } from './dry-run.ts'
import { estimateBackfill, type BackfillEstimate } from './estimate.ts'
import type { ProbeLimits, Probing } from './probe-windows.ts'

export interface EstimatePipelineOptions extends BackfillOptions {
  /** Send requests if the ledger does not know enough. A backfill itself never does. @default false */
  readonly probes?: boolean
  /** What the requests for a stream may take. @default 200 requests and a minute */
  readonly limits?: ProbeLimits
  /** Called with the reason for each stream that was not asked although `probes` is set. */
  readonly onUnknown?: (text: string) => void
}

/**
 * Returns the cost of each stream of a backfill; undefined for one that only probes could tell. Throws a `PausedError`
 * if it would have to probe and all streams are paused: one that is paused is not asked.
 */
export async function estimatePipeline(
  pipeline: Pipeline,
  { probes = false, limits, onUnknown, ...options }: EstimatePipelineOptions,
): Promise<(BackfillEstimate | undefined)[]> {
  const { concurrency = DEFAULTS.windows, signal = new AbortController().signal } = options
  const plans = await dryRunBackfill(pipeline, options)
  const environment = environmentOf(pipeline, options.environment)
  await using opened = new AsyncDisposableStack()
  const found = await openStoreToRead({ database: options.database, environment, max: 2, signal })
  const database = found && opened.use(found).database
  const streams = plans.map(({ stream }) => stream)
  const about = { pipeline: pipeline.name, streams, signal }
  const pauses = (probes && database && (await orNothing(requireUnpaused(database, about)))) || []
  const probing = probingOf(pipeline, { ...options, streams, opened, hasStore: database !== undefined })
  const estimates: (BackfillEstimate | undefined)[] = []
  for (const { stream, windows } of plans) {
    const toRead = windows.filter(({ toRead }) => toRead)
    const paused = pauseOf(pauses, { pipeline: pipeline.name, stream })
    const one = { pipeline, stream, windows: toRead, concurrency, limits, signal }
    const mayProbe = probes && !paused
    const estimate = await estimateBackfill(database, { ...one, ...(mayProbe && { probing: () => probing(stream) }) })
    estimates.push(estimate)
    if (probes && !estimate)
      onUnknown?.(paused ? pauseText(paused) : `${pipeline.name}.${stream}: what it costs is not known. ${NOT_PROBED}`)
  }
  return estimates
}

const NOT_PROBED =
  'The ledger has no earlier windows of it, and a stream with a job, a source of its own, .tap or .offload is not ' +
  'read for an estimate'

interface ProbingOptions extends Pick<BackfillOptions, 'database' | 'environment' | 'signal'> {
  readonly streams: readonly string[]
  /** Keeps what is opened. */
  readonly opened: AsyncDisposableStack
  readonly hasStore: boolean
}

/**
 * Returns a function that opens what requests of a stream need. With a database they share the rates of all processes
 * and use its tokens, as a run does.
 */
function probingOf(
  pipeline: Pipeline,
  { opened, hasStore, ...options }: ProbingOptions,
): (stream: string) => Promise<Probing> {
  let reading: Promise<Reading> | undefined
  return async (stream) => {
    if (hasStore) {
      reading ??= openReading(pipeline, { ...options, sharesRates: true }).then((one) => opened.use(one))
      const { scope, movedList } = await reading
      return { scope: (onEvent) => scope(stream, onEvent), moved: await movedList(stream) }
    }
    const { environment, streams, signal } = options
    const secrets = readSecrets(environmentOf(pipeline, environment))
    requireSecrets(pipeline, streams, secrets)
    let emit: ((event: RunEvent) => void) | undefined
    const scope = opened.use(openScope({ signal, secrets, emit: (event) => emit?.(event), account: pipeline.account }))
    return {
      scope: (onEvent) => {
        emit = onEvent
        return { ...scope, stream }
      },
      moved: READ_ONCE,
    }
  }
}

/** Returns the cost of several backfills, so many of them at once. */
export function totalEstimate(all: readonly BackfillEstimate[], atOnce: number): Omit<BackfillEstimate, 'stream'> {
  const sum = (of: (one: BackfillEstimate) => number): number => all.reduce((total, one) => total + of(one), 0)
  const budget = Math.max(0, ...all.map((one) => one.budget ?? 0))
  return {
    pipeline: all[0]?.pipeline ?? '',
    windows: sum((one) => one.windows),
    requests: sum((one) => one.requests),
    records: sum((one) => one.records),
    ms: Math.max(0, sum((one) => one.ms) / Math.max(1, atOnce), ...all.map((one) => one.ms)),
    ...(budget > 0 && { budget }),
    ...(all.some((one) => one.isLeast) && { isLeast: true }),
    from: all.every((one) => one.from === 'history') ? 'history' : 'probes',
    probed: sum((one) => one.probed),
  }
}
