import type { Pipeline } from '../../define/pipeline.ts'
import type { Table } from '../../model/recipe.ts'
import type { Report, StreamReport } from '../../model/report.ts'
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
  pipeline: Pipeline,
  { kind, error }: { readonly kind: Report['kind']; readonly error: string },
): Report => ({
  ...emptyReport(pipeline, kind, (table) => new StreamTally(table).report('failed', error)),
  status: 'failed',
})

/** Returns the report of an account that is paused: none of its streams was run, which is no failure. */
export const pausedReport = (
  pipeline: Pipeline,
  { kind, warning }: { readonly kind: Report['kind']; readonly warning: string },
): Report =>
  emptyReport(pipeline, kind, (table) => ({ ...new StreamTally(table).report('not run'), warnings: [warning] }))

const emptyReport = (
  { name, account, streams }: Pipeline,
  kind: Report['kind'],
  of: (table: Table) => StreamReport,
): Report => ({
  run: '',
  pipeline: name,
  ...(account && { account: account.name }),
  kind,
  status: 'done',
  startedAt: new Date().toISOString(),
  ms: 0,
  streams: Object.fromEntries(Object.entries(streams).map(([stream, { table }]) => [stream, of(table)])),
  rowsPerSecond: 0,
  peakMemoryBytes: 0,
})
