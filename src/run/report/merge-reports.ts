import type { Pipeline } from '../../define/pipeline.ts'
import type { Report } from '../../model/report.ts'
import { StreamTally } from './stream-tally.ts'

/**
 * Returns the reports of accounts of one pipeline as one report: its streams are named `north.orders`. Its run is that
 * of the first account.
 */
export function mergeReports(pipeline: string, reports: readonly Report[]): Report | undefined {
  const [first] = reports
  if (!first) return undefined
  const has = (status: Report['status']): boolean => reports.some((report) => report.status === status)
  const started = Math.min(...reports.map(({ startedAt }) => Date.parse(startedAt)))
  const ended = Math.max(...reports.map(({ startedAt, ms }) => Date.parse(startedAt) + ms))
  const streams = reports.flatMap(({ account, streams: own }) =>
    Object.entries(own).map(([name, stream]) => [`${account ?? ''}.${name}`, stream] as const),
  )
  const rows = streams.reduce((sum, [, { counts }]) => sum + counts.fetched + counts.expanded, 0)
  const { account: _, walBytes: __, ...more } = first
  let status: Report['status'] = has('failed') ? 'failed' : 'done'
  if (has('interrupted')) status = 'interrupted'
  return {
    ...more,
    pipeline,
    status,
    startedAt: new Date(started).toISOString(),
    ms: ended - started,
    streams: Object.fromEntries(streams),
    rowsPerSecond: Math.round(rows / Math.max(0.001, (ended - started) / 1_000)),
    peakMemoryBytes: Math.max(...reports.map(({ peakMemoryBytes }) => peakMemoryBytes)),
  }
}

/** Returns the report of an account that could not start: each of its streams has failed for that reason. */
export const notStartedReport = (
  { name, account, streams }: Pipeline,
  { kind, error }: { readonly kind: Report['kind']; readonly error: string },
): Report => ({
  run: '',
  pipeline: name,
  ...(account && { account: account.name }),
  kind,
  status: 'failed',
  startedAt: new Date().toISOString(),
  ms: 0,
  streams: Object.fromEntries(
    Object.entries(streams).map(([stream, { table }]) => [stream, new StreamTally(table).report('failed', error)]),
  ),
  rowsPerSecond: 0,
  peakMemoryBytes: 0,
})
