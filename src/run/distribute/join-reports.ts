import type { Pipeline } from '../../define/pipeline.ts'
import type { Report, StreamReport } from '../../model/report.ts'

export interface JoinOptions {
  /** The first of the runs. */
  readonly run: string
  readonly startedAt: Date
  /** Another process or this one was asked to stop before all streams had ended. */
  readonly isStopped: boolean
  /** Runs of workers: their processes had this memory at most. */
  readonly peakMemoryBytes: number
}

/** Returns the report of a pipeline whose streams were read by several runs, as one run would have given it. */
export function joinReports(
  { name, account }: Pipeline,
  streams: readonly (readonly [name: string, report: StreamReport])[],
  { run, startedAt, isStopped, peakMemoryBytes }: JoinOptions,
): Report {
  const ms = Date.now() - startedAt.getTime()
  const rows = streams.reduce((sum, [, { counts }]) => sum + counts.fetched + counts.expanded, 0)
  const has = (wanted: StreamReport['status']): boolean => streams.some(([, report]) => report.status === wanted)
  let status: Report['status'] = has('interrupted') ? 'interrupted' : 'done'
  if (has('failed')) status = 'failed'
  if (isStopped) status = 'interrupted'
  return {
    run,
    pipeline: name,
    ...(account && { account: account.name }),
    kind: 'sync',
    status,
    startedAt: startedAt.toISOString(),
    ms,
    streams: Object.fromEntries(streams),
    rowsPerSecond: Math.round(rows / Math.max(0.001, ms / 1_000)),
    peakMemoryBytes,
  }
}
