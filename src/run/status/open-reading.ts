import { MAX_OPEN_READINGS, type OpenReadings } from '../../ledger/read/read-open-readings.ts'
import { formatNumber } from '../../value/format.ts'
import type { StatusFinding, StreamStatus } from './stream-status.ts'

/** Further reasons are in `completeness` of the JSON. */
const MAX_SHOWN_REASONS = 3

export interface OpenReadingTerms {
  /** True if the table has `complete: 'any'`. */
  readonly isAccepted: boolean
  /** True if rows are appended without a key: a record that is read again would be stored twice. */
  readonly isKeyless: boolean
}

/**
 * Returns the finding of readings or windows that may have missed records, and that no later reading covers. It is no
 * fault if the table accepts such readings.
 */
export function openReading(
  open: OpenReadings,
  { pipeline, stream, table, completeness, cursor }: StreamStatus,
  { isAccepted, isKeyless }: OpenReadingTerms,
): Pick<StatusFinding, 'kind' | 'isFault' | 'message'> {
  const name = `${pipeline}.${stream}`
  const { kind, readings, run, lower, upper } = open
  const isOne = readings === 1
  const number = readings < MAX_OPEN_READINGS ? formatNumber(readings) : `${formatNumber(readings)} or more`
  const fact = `could not prove that ${isOne ? 'it' : 'they'} read everything: ${reasonsText(open.reasons)}`
  const check = `Check the paginator (sluice check ${name})`
  const again = isKeyless
    ? `drop ${table}, which has no key and would get rows twice, and fill it again: sluice run ${name} --full`
    : `read everything once: sluice run ${name} --full`
  if (kind === 'backfill') {
    const range = lower && upper ? ` (${momentText(lower)} to ${momentText(upper)})` : ''
    const windows = isOne ? '1 window' : `${number} windows`
    const rest = 'backfill the range with another --window: a window that is done stays done'
    const message = `${windows} of its backfills${range} ${fact}. ${check}, then ${isKeyless ? again : rest}`
    return { kind: 'open windows', isFault: !isAccepted, message }
  }
  const runs = isOne ? `run ${run}` : `${number} readings, the last one by run ${run},`
  if (completeness?.grade !== 'open') {
    const message = `${runs} ${fact}. Later runs read only what is newer. To close the gap, ${again}`
    return { kind: 'open readings', isFault: !isAccepted, message }
  }
  const remedy = `${check}, then ${cursor ? again : 'run it again'}`
  const words = isAccepted ? '' : ". In .into(), complete: 'required' fails such a run, and 'any' accepts it"
  return { kind: 'open readings', isFault: !isAccepted, message: `${runs} ${fact}. ${remedy}${words}` }
}

function reasonsText(reasons: readonly string[]): string {
  if (reasons.length === 0) return 'no reason was stored'
  const more = reasons.length - MAX_SHOWN_REASONS
  const shown = reasons.slice(0, MAX_SHOWN_REASONS)
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

/** `2024-01-31` at midnight UTC, else `2024-01-31T10:00:00Z`. */
export const momentText = (moment: Date): string =>
  moment
    .toISOString()
    .replace(/\.000Z$/, 'Z')
    .replace('T00:00:00Z', '')
