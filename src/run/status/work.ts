import type { Queryable } from '../../database/queryable.ts'
import { readWork, type Work } from '../../ledger/read/read-work.ts'
import { defined } from '../../value/defined.ts'
import type { StatusWork } from './stream-status.ts'

/** Returns what workers do and what waits for one. Undefined if nobody uses workers. */
export async function readStatusWork(on: Queryable): Promise<StatusWork | undefined> {
  return workOf(await readWork(on))
}

/** Derives from the ledger's part what a status says of workers. Undefined if none lives and nothing waits. */
export function workOf(work: Work | undefined): StatusWork | undefined {
  if (!work || (work.workers.length === 0 && work.waiting?.length === 0)) return undefined
  const { workers, waiting } = work
  return {
    workers: workers.map(({ name, host, pid, concurrency, isDraining, startedAt, seenAt, pieces }) => ({
      worker: name,
      host,
      pid,
      concurrency,
      isDraining,
      startedAt: startedAt.toISOString(),
      seenAt: seenAt.toISOString(),
      pieces: pieces.map(({ run, pipeline, stream, window, since }) => ({
        run,
        pipeline,
        stream,
        ...(window && { window: { from: window.lower.toISOString(), to: window.upper.toISOString() } }),
        since: since.toISOString(),
      })),
    })),
    ...defined({
      waiting: waiting?.map(({ since, ...one }) => ({ ...one, since: since.toISOString() })),
    }),
  }
}
