import type { Pipeline } from '../../../src/index.ts'
import { onAbort } from '../../../src/flow/signals/on-abort.ts'
import { runWorker, type WorkerOptions } from '../../../src/run/distribute/run-worker.ts'
import type { WorkerEvent } from '../../../src/run/distribute/worker-event.ts'

export interface StartedWorker extends AsyncDisposable {
  readonly events: readonly WorkerEvent[]
  /** Waits for an event of a type, also for one that has been. */
  readonly seen: <Type extends WorkerEvent['type']>(type: Type) => Promise<Extract<WorkerEvent, { type: Type }>>
  /** Asks it to end, and waits until it has ended. */
  readonly drain: () => Promise<void>
}

/** Starts a worker in this process and waits until the ledger knows it. */
export async function startWorker(
  pipelines: readonly Pipeline[],
  database: string,
  options: Pick<WorkerOptions, 'concurrency' | 'heartbeatSeconds' | 'environment'> = {},
): Promise<StartedWorker> {
  const stop = new AbortController()
  const ended = new AbortController()
  const events: WorkerEvent[] = []
  const waiting = new Set<() => void>()
  const running = runWorker(pipelines, {
    ...options,
    database,
    signal: stop.signal,
    onEvent: (event) => {
      events.push(event)
      for (const look of waiting) look()
    },
  }).finally(() => ended.abort(new Error('the worker has ended')))
  running.catch(() => {})
  const seen: StartedWorker['seen'] = async (type) => {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerEvent>()
    const look = (): void => {
      const found = events.find((event) => event.type === type)
      if (found) resolve(found)
    }
    waiting.add(look)
    look()
    using _ = onAbort(ended.signal, () => void running.then(() => reject(ended.signal.reason as Error), reject))
    try {
      return (await promise) as never
    } finally {
      waiting.delete(look)
    }
  }
  const drain = async (): Promise<void> => {
    stop.abort(new Error('drained'))
    await running
  }
  await seen('worker.started')
  return { events, seen, drain, [Symbol.asyncDispose]: drain }
}
