import type { Database } from '../../database/database.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { readSlices } from '../../ledger/read/read-slices.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import type { StreamReport } from '../../model/report.ts'
import { problemText } from '../report/problem-text.ts'
import type { StreamTally } from '../report/stream-tally.ts'
import { syncStream, type SyncStreamOptions } from './sync-stream.ts'

export interface RunStreamOptions extends Omit<SyncStreamOptions, 'started' | 'committed'> {
  readonly gauge: StreamTally
  readonly emit: (event: RunEvent) => void
  /** The slices that are being read, each with what ends its reading when it turns out to be somebody else's. */
  readonly losing: Map<string, (reason: string) => void>
  readonly failed: ((stream: string, error: unknown) => void) | undefined
}

/** Fewer records than this are no surprise to miss. */
const SILENCE_THRESHOLD = 100

/**
 * One stream of a run, from its claim to what the report says of it. Never throws: a stream that fails leaves the
 * others running.
 */
export async function runStream({ gauge, emit, losing, failed, ...options }: RunStreamOptions): Promise<StreamReport> {
  const { database, pipeline, stream, scope } = options
  using stop = new LinkedSignal(scope.signal)
  const held: string[] = []
  try {
    const outcome = await syncStream({
      ...options,
      scope: { ...scope, signal: stop.signal },
      started: (slice) => {
        held.push(slice.id)
        losing.set(slice.id, (reason) =>
          stop.abort(
            new SliceLostError(
              `${pipeline}.${stream}: slice ${slice.id} ${reason}. This run stores nothing more of it; what was committed stays`,
            ),
          ),
        )
        gauge.slice(slice)
        emit({ type: 'slice.started', stream, slice: slice.id, resumed: slice.resumed, since: slice.since })
      },
      committed: ({ swap, ...batch }, slice) => {
        gauge.committed(batch.counts, { swap, cursor: slice.highWaterMark?.value })
        emit({ type: 'batch.committed', stream, slice: slice.id, ...batch })
      },
    })
    if (outcome !== 'done') {
      emit({ type: 'warning', stream, message: `it was left out, since run ${outcome.run} is reading it` })
      return gauge.report('not run')
    }
    noticeRejects({ pipeline, stream, gauge, emit })
    await noticeSilence(database, { pipeline, stream, gauge, emit })
    return gauge.report('done')
  } catch (error) {
    if (scope.signal.aborted) return gauge.report('interrupted')
    const text = scope.secrets.hide(problemText(error, `${pipeline}.${stream}`))
    failed?.(stream, error)
    emit({ type: 'stream.failed', stream, error: text })
    return gauge.report('failed', text)
  } finally {
    for (const slice of held) losing.delete(slice)
  }
}

/** Rejects are within their budget; that nothing but rejects came out is what people want to know. */
export function noticeRejects({
  pipeline,
  stream,
  gauge,
  emit,
}: {
  pipeline: string
  stream: string
  gauge: StreamTally
  emit: (event: RunEvent) => void
}): void {
  const { rejected, inserted, updated, unchanged, duplicate } = gauge.counts
  if (rejected === 0 || inserted + updated + unchanged + duplicate > 0) return
  emit({
    type: 'warning',
    stream,
    message: `nothing was stored: all ${rejected} records that were not filtered were rejected; sluice rejects list ${pipeline}.${stream} tells why`,
  })
}

/** An API that answers nothing is a success for the engine; where there was much the last time, people want to know. */
async function noticeSilence(
  database: Database,
  {
    pipeline,
    stream,
    gauge,
    emit,
  }: { pipeline: string; stream: string; gauge: StreamTally; emit: (event: RunEvent) => void },
): Promise<void> {
  const { fetched, parents } = gauge.counts
  if (fetched + parents > 0) return
  const [now, before] = await readSlices(database, { pipeline, stream, kind: 'sync', status: 'done', limit: 2 })
  // A first reading of everything says nothing of how much is new each time.
  if (!now || !before || (now.since === undefined) !== (before.since === undefined)) return
  const last = before.counts.fetched + before.counts.parents
  if (last < (now.since === undefined ? 1 : SILENCE_THRESHOLD)) return
  emit({
    type: 'warning',
    stream,
    message: `nothing was read, where the run before read ${last} records: look whether the API still answers what it did`,
  })
}
