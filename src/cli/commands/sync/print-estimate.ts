import { DEFAULT_ACCOUNTS_AT_ONCE } from '../../../run/accounts/in-turn.ts'
import { estimatePipeline, totalEstimate } from '../../../run/backfill/estimate-backfills.ts'
import type { BackfillEstimate } from '../../../run/backfill/estimate.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import type { BackfillOptions } from '../../../run/options.ts'
import { withoutAccount } from '../../../model/account.ts'
import { formatCount, formatNumber, formatSeconds } from '../../../value/format.ts'

export interface EstimateAllOptions {
  readonly rangeOf: (found: FoundPipeline) => BackfillOptions
  readonly accountsAtOnce: number | undefined
  /** Only the estimate was asked for. */
  readonly isAlone: boolean
  readonly json: boolean
}

/** Prints what a backfill will cost: a line for each stream, and one for all accounts together. */
export async function printEstimates(
  found: readonly FoundPipeline[],
  { rangeOf, accountsAtOnce, isAlone, json }: EstimateAllOptions,
): Promise<void> {
  const all: BackfillEstimate[] = []
  let unknown = 0
  for (const one of found)
    for (const estimate of await estimatePipeline(one.pipeline, {
      ...rangeOf(one),
      probes: isAlone,
      onUnknown: console.error,
    }))
      if (estimate) all.push(estimate)
      else unknown += 1
  const atOnce = accountsAtOnce ?? found[0]?.pipeline.account?.concurrency ?? DEFAULT_ACCOUNTS_AT_ONCE
  const total = found.length > 1 && all.length > 1 ? totalEstimate(all, atOnce) : undefined
  if (json) {
    console.log(JSON.stringify({ streams: all, ...(total && { total }) }))
    return
  }
  // Of many accounts, the sum says more than each.
  if (!total || isAlone) for (const one of all) console.log(`${one.pipeline}.${one.stream}: ${estimateText(one)}`)
  if (total)
    console.log(`${withoutAccount(total.pipeline)}, ${formatCount(found.length, 'account')}: ${estimateText(total)}`)
  if (!isAlone && unknown > 0 && all.length === 0)
    console.log('What it costs is not known yet. To ask the API: --estimate')
}

/** `31 windows, about 620 requests, 31,000 records, 4.2 s, a third of the API's rate (by earlier windows)` */
export function estimateText({
  windows,
  requests,
  records,
  ms,
  budget,
  from,
  probed,
  isLeast = false,
}: Omit<BackfillEstimate, 'stream'>): string {
  const facts = [
    `${formatCount(windows, 'window')}: ${isLeast ? 'at least' : 'about'} ${formatCount(requests, 'request')}`,
    `${formatNumber(records)} records`,
    formatSeconds(ms),
    ...(budget === undefined ? [] : [`${Math.round(budget * 100)} % of the API's rate meanwhile`]),
  ]
  const sent = `by ${formatCount(probed, 'request')} sent now${isLeast ? ', which is the limit or a minute' : ''}`
  const origin = from === 'history' ? 'by earlier windows' : sent
  return windows === 0 ? 'nothing to read' : `${facts.join(', ')} (${origin})`
}
