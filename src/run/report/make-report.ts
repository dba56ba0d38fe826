import type { Report, StreamReport } from '../../model/report.ts'
import type { RunKind } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import type { RunContext } from '../run-context.ts'

export interface ReportParts {
  readonly run: string
  readonly kind: RunKind
  readonly context: Pick<RunContext, 'pipeline' | 'startedAt' | 'elapsedMs'>
  readonly streams: readonly (readonly [name: string, report: StreamReport])[]
  readonly walBytes: number | undefined
  readonly isStopped: boolean
}

/** Returns the report of a run whose streams have all ended. */
export function makeReport({ run, kind, context, streams, walBytes, isStopped }: ReportParts): Report {
  const { pipeline, startedAt, elapsedMs } = context
  const rows = streams.reduce((sum, [, { counts }]) => sum + counts.fetched + counts.expanded, 0)
  return {
    run,
    pipeline: pipeline.name,
    ...defined({ account: pipeline.account?.name }),
    kind,
    status: isStopped ? 'interrupted' : statusOf(streams),
    startedAt: startedAt.toISOString(),
    ms: Math.round(elapsedMs),
    streams: Object.fromEntries(streams),
    rowsPerSecond: Math.round(rows / (elapsedMs / 1_000)),
    ...defined({ walBytes }),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1_024,
  }
}

/** Without a stop of the run, a stream is only interrupted if it was paused while it was read. */
function statusOf(streams: ReportParts['streams']): Report['status'] {
  const has = (wanted: StreamReport['status']): boolean => streams.some(([, { status }]) => status === wanted)
  if (has('failed')) return 'failed'
  return has('interrupted') ? 'interrupted' : 'done'
}
