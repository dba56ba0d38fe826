import type { Pipeline } from '../../define/pipeline.ts'
import { onAbort } from '../../flow/signals/on-abort.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { TaskGroup } from '../../flow/task-group.ts'
import type { LiveAccounts } from '../accounts/live-accounts.ts'

/** The schedule of one account. */
export interface AccountLoop {
  readonly pipeline: Pipeline
  /** Ticks count from here on. @default now */
  readonly since?: Date
  /**
   * Returns the pipeline as its account is at a tick. Throws if its account cannot run, or if the accounts cannot be
   * read.
   */
  readonly current: (tick: Date) => Promise<Pipeline>
  /** Aborts when the account was removed. */
  readonly signal: AbortSignal
}

export interface AccountLoopsOptions {
  readonly group: TaskGroup
  /** Runs the schedule of one account until its signal aborts. */
  readonly run: (loop: AccountLoop) => Promise<never>
}

/**
 * Runs the schedules of the accounts of one pipeline until `group` ends: an account that is new starts, and one that
 * was removed stops.
 */
export function runAccountLoops(live: LiveAccounts, { group, run }: AccountLoopsOptions): void {
  const loops = new Map<string, LinkedSignal>()
  const start = (pipeline: Pipeline, since: Date | undefined): void =>
    group.spawn(async (signal) => {
      const { name } = pipeline
      using loop = new LinkedSignal(signal)
      loops.set(name, loop)
      const current = (tick: Date): Promise<Pipeline> => accountAt(live, name, tick, loop.signal)
      await run({ pipeline, current, signal: loop.signal, ...(since && { since }) }).catch((error: unknown) => {
        if (!(loop.signal.reason instanceof RemovedError)) throw error
      })
    })
  let readAt: Date | undefined
  const update = (): void => {
    const { pipelines, failed } = live.known
    const names = new Set([...pipelines.map(({ name }) => name), ...failed.map(({ pipeline }) => pipeline)])
    for (const [name, loop] of loops)
      if (!names.has(name)) {
        loops.delete(name)
        loop.abort(new RemovedError())
      }
    // An account that is new may have been there since the reading before this one: a tick in between is its own.
    for (const pipeline of pipelines) if (!loops.has(pipeline.name)) start(pipeline, readAt)
    readAt = live.knownSince
  }
  update()
  const reads = live.onRead(update)
  onAbort(group.signal, () => reads[Symbol.dispose]())
}

/** Returns the pipeline of an account as it is at a moment, or later. */
async function accountAt(live: LiveAccounts, name: string, moment: Date, signal: AbortSignal): Promise<Pipeline> {
  const { pipelines, failed } = await live.read(signal, moment)
  // It was removed.
  signal.throwIfAborted()
  const found = pipelines.find((pipeline) => pipeline.name === name)
  if (found) return found
  throw failed.find(({ pipeline }) => pipeline === name) ?? new RemovedError()
}

/** The reason for which the schedule of an account ends that was removed. */
class RemovedError extends Error {
  override readonly message = 'the account was removed'
}
