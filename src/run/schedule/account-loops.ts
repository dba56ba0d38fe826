import type { AccountsPipeline, Pipeline } from '../../define/pipeline.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { TaskGroup } from '../../flow/task-group.ts'
import { messageOf } from '../../value/error.ts'
import { expandAccounts, type ExpandOptions } from '../accounts/expand-accounts.ts'
import type { Clock } from './clock.ts'
import type { ScheduleEvent } from './schedule-event.ts'

export interface AccountLoopsOptions {
  readonly group: TaskGroup
  readonly clock: Clock
  readonly emit: (event: ScheduleEvent) => void
  readonly expand: Pick<ExpandOptions, 'database' | 'environment'>
  /** Runs the schedule of one account until the signal aborts. `latest` returns its pipeline as it is now. */
  readonly run: (pipeline: Pipeline, latest: () => Pipeline, signal: AbortSignal) => Promise<never>
}

/** Accounts are read again in this interval. */
const REFRESH_MS = 60_000

/**
 * Runs the schedules of the accounts of one pipeline, and reads the accounts again every minute: an account that is new
 * starts, and one that was removed stops. If they cannot be read, all go on as before.
 */
export class AccountLoops {
  readonly #definition: AccountsPipeline
  readonly #options: AccountLoopsOptions
  readonly #latest = new Map<string, Pipeline>()
  readonly #loops = new Map<string, LinkedSignal>()
  /** Problems that were reported and last. */
  #problems: ReadonlySet<string> = new Set()

  constructor(definition: AccountsPipeline, options: AccountLoopsOptions) {
    this.#definition = definition
    this.#options = options
  }

  start(pipelines: readonly Pipeline[]): void {
    const { group, clock } = this.#options
    this.#update(pipelines, [])
    group.spawn(async (signal) => {
      for (;;) {
        await clock.sleep(REFRESH_MS, { signal })
        await this.#refresh(signal)
      }
    })
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { name } = this.#definition
    try {
      const { pipelines, failed } = await expandAccounts(this.#definition, { ...this.#options.expand, signal })
      this.#report(failed.map((error) => [error.pipeline, error.message] as const))
      this.#update(
        pipelines,
        failed.map(({ pipeline }) => pipeline),
      )
    } catch (error) {
      signal.throwIfAborted()
      this.#report([[name, `its accounts cannot be read, and all run as before: ${messageOf(error)}`]])
    }
  }

  /** Starts new accounts and stops those that were removed. Accounts in `kept` are still there. */
  #update(pipelines: readonly Pipeline[], kept: readonly string[]): void {
    const { group, run } = this.#options
    const names = new Set([...pipelines.map(({ name }) => name), ...kept])
    for (const [name, loop] of this.#loops)
      if (!names.has(name)) {
        this.#loops.delete(name)
        loop.abort(new RemovedError())
      }
    for (const pipeline of pipelines) {
      const { name } = pipeline
      this.#latest.set(name, pipeline)
      if (this.#loops.has(name)) continue
      group.spawn(async (signal) => {
        using loop = new LinkedSignal(signal)
        this.#loops.set(name, loop)
        await run(pipeline, () => this.#latest.get(name) ?? pipeline, loop.signal).catch((error: unknown) => {
          if (!(loop.signal.reason instanceof RemovedError)) throw error
        })
      })
    }
  }

  #report(problems: readonly (readonly [pipeline: string, message: string])[]): void {
    for (const [pipeline, message] of problems)
      if (!this.#problems.has(message)) this.#options.emit({ type: 'warning', pipeline, message })
    this.#problems = new Set(problems.map(([, message]) => message))
  }
}

/** The reason for which the schedule of an account ends that was removed. */
class RemovedError extends Error {}
