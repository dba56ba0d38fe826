import { hostname } from 'node:os'
import type { AccountsPipeline, Pipeline } from '../../define/pipeline.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { LeaseKeeper } from '../../ledger/lease/lease-keeper.ts'
import { UsageError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import { defined } from '../../value/defined.ts'
import { messageOf } from '../../value/error.ts'
import { expandAll, expansionOf } from '../accounts/expand-accounts.ts'
import { liveAccountsOf } from '../accounts/live-accounts.ts'
import { openStore } from '../open-store.ts'
import { resolveMemory, type RunOptions } from '../options.ts'
import { systemClock } from '../schedule/clock.ts'
import { schemasOf, tablesOf } from '../schema-right.ts'
import { Definitions } from './definitions.ts'
import { openWorkQueue } from './open-work-queue.ts'
import { Worker } from './worker.ts'
import type { WorkerEvent } from './worker-event.ts'

/** Options of `runWorker()`. */
export interface WorkerOptions extends Pick<RunOptions, 'database' | 'environment' | 'signal'> {
  /** Pieces of work that it does at once. @default 4 */
  readonly concurrency?: number | undefined
  /** Decoded body text that all pieces together may hold at once. @default '64MB' */
  readonly memory?: RunOptions['memory'] | undefined
  /** Seconds without a sign of life after which another worker takes a piece; at least 10. @default 30 */
  readonly heartbeatSeconds?: number | undefined
  /** Called with every event of the worker. It must not throw. */
  readonly onEvent?: (event: WorkerEvent) => void
  /** Called with every event of the runs. It must not throw. */
  readonly onRun?: ((pipeline: string, event: RunEvent) => void) | undefined
}

/** Pieces of work that a worker does at once by default. */
const DEFAULT_CONCURRENCY = 4

/**
 * Does pieces of work that other processes hand out, until the signal aborts. It then takes no more, ends its runs at
 * the next commit and gives their pieces back. It takes only pipelines that it has in the same version.
 */
export async function runWorker(
  given: readonly (Pipeline | AccountsPipeline)[],
  options: WorkerOptions = {},
): Promise<void> {
  const { database: url, environment = process.env, concurrency = DEFAULT_CONCURRENCY, onEvent, onRun } = options
  const { signal = new AbortController().signal } = options
  const memory = Math.ceil(resolveMemory(options.memory) / concurrency)
  const emit = (event: WorkerEvent): void => onEvent?.(event)
  const expand = { database: url, environment }
  const { pipelines, failed } = await expandAll(given, { ...expand, signal })
  if (pipelines.length + failed.length === 0)
    throw new UsageError('There is no pipeline to work on. Name one, or put one into pipelines/')
  const schemas = schemasOf(tablesOf(pipelines))
  try {
    await using store = await openStore({ ...defined({ database: url }), environment, schemas, signal, max: 6 })
    await using queue = await openWorkQueue(store.database, {
      schemas,
      supervise: true,
      heartbeatSeconds: options.heartbeatSeconds,
      onError: (error) => emit({ type: 'warning', message: `jobs are not looked after just now: ${messageOf(error)}` }),
    })
    await using keeper = await LeaseKeeper.open(store.database, { signal })
    await using group = new TaskGroup({ signal })
    const live = liveAccountsOf(pipelines, {
      ...expand,
      clock: systemClock,
      signal: group.signal,
      onChange: () => {},
      onProblem: (pipeline, reason) => emit({ type: 'pipeline.lacked', pipeline, reason }),
    })
    for (const one of live) group.spawn((spawned) => one.keepFresh(spawned))
    const alone = pipelines.filter((one) => expansionOf(one) === undefined)
    const definitions = new Definitions(alone, live, environment)
    for (const { pipeline, message } of failed) emit({ type: 'pipeline.lacked', pipeline, reason: message })
    const name = `${hostname()}:${process.pid}`
    const worker = new Worker({
      name,
      concurrency,
      definitions,
      queue,
      keeper,
      emit,
      onRun,
      database: store.database,
      runs: { database: url, environment, memory },
    })
    await worker.work(group)
  } catch (error) {
    if (!signal.aborted) throw error
    emit({ type: 'worker.stopped', reason: messageOf(signal.reason) })
  }
}
