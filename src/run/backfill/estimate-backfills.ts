// The cost of a backfill of one pipeline, or of all accounts of one.
import type { Pipeline } from '../../define/pipeline.ts'
import { knownSecrets } from '../../observe/known-secrets.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { openStoreToRead } from '../open-store.ts'
import { DEFAULTS, type BackfillOptions } from '../options.ts'
import { dryRunBackfill } from './dry-run.ts'
import { estimateBackfill, type BackfillEstimate } from './estimate.ts'

export interface EstimatePipelineOptions extends BackfillOptions {
  /** Send requests if the ledger does not know enough. A backfill itself never does. @default false */
  readonly probes?: boolean
}

/** Returns the cost of each stream of a backfill; undefined for one that only probes could tell. */
export async function estimatePipeline(
  pipeline: Pipeline,
  { probes = false, ...options }: EstimatePipelineOptions,
): Promise<(BackfillEstimate | undefined)[]> {
  const { database, concurrency = DEFAULTS.windows, signal = new AbortController().signal } = options
  const plans = await dryRunBackfill(pipeline, options)
  await using store = await openStoreToRead({ database, max: 2, signal })
  const secrets = knownSecrets(environmentOf(pipeline, options.environment), database)
  const estimates: (BackfillEstimate | undefined)[] = []
  for (const { stream, windows } of plans) {
    const toRead = windows.filter(({ toRead }) => toRead)
    const about = { pipeline, stream, windows: toRead, concurrency, secrets, mayProbe: probes, signal }
    estimates.push(await estimateBackfill(store?.database, about))
  }
  return estimates
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
    from: all.every((one) => one.from === 'history') ? 'history' : 'probes',
    probed: sum((one) => one.probed),
  }
}
