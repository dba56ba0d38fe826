import type { Database } from '../database/database.ts'
import { LinkedSignal } from '../flow/signals/linked-signal.ts'
import { sleep } from '../flow/signals/sleep.ts'
import type { TaskGroup } from '../flow/task-group.ts'
import { requestStop } from '../ledger/runs.ts'
import { dropRequest, noteRequest, claimRequest, type KeyedRequest } from '../ledger/requests.ts'
import { CancelledError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { Problem } from './response/problem.ts'

/** What a run is called with here: it ends with the server, or alone. */
export interface RunHooks {
  readonly signal: AbortSignal
  readonly onEvent: (event: RunEvent) => void
}

export interface RunnerOptions {
  readonly database: Database
  readonly group: TaskGroup
  /** Runs at once. */
  readonly maxRuns: number
  readonly onError: (error: unknown) => void
}

/** How long the same request, which another server has just taken, is waited for. */
const BEGINNING_MS = 5_000

/**
 * Begins runs when somebody asks for them, answers their ids at once, and lets them go on in the server's task group.
 */
export class Runner {
  readonly #options: RunnerOptions
  readonly #runs = new Map<string, LinkedSignal>()
  #underWay = 0

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Whether this server has begun it, and it goes on. */
  has(run: string): boolean {
    return this.#runs.has(run)
  }

  get underWay(): number {
    return this.#underWay
  }

  /** The run that was begun for a key, or a new one. Without a key always a new one. */
  async start(
    request: Omit<KeyedRequest, 'key'> & { readonly key: string | undefined },
    work: (terms: RunHooks) => Promise<unknown>,
  ): Promise<string> {
    const { key } = request
    if (key === undefined) return this.#start(work)
    const { database } = this.#options
    for (let waited = 0; ; waited += 200) {
      const taken = await claimRequest(database, { ...request, key })
      if (taken.type === 'known') return taken.run
      if (taken.type === 'other')
        throw new Problem(
          422,
          'this Idempotency-Key was used for another request',
          'use a new key for each thing that is asked for',
        )
      if (taken.type === 'claimed') break
      if (waited >= BEGINNING_MS)
        throw new Problem(409, 'the same request is being started elsewhere', 'send it again in a moment')
      await sleep(200, { signal: this.#options.group.signal })
    }
    try {
      const run = await this.#start(work)
      await noteRequest(database, key, run)
      return run
    } catch (error) {
      await dropRequest(database, key).catch(this.#options.onError)
      throw error
    }
  }

  /** Ask a run to end, wherever it goes on. Answers when that was asked for first; undefined where it does not run. */
  async cancel(run: string): Promise<Date | undefined> {
    const at = await requestStop(this.#options.database, run)
    // Behind a pooler its keeper may hear of it only some seconds later.
    if (at) this.#runs.get(run)?.abort(new CancelledError(`run ${run} was asked to end`))
    return at
  }

  async #start(work: (terms: RunHooks) => Promise<unknown>): Promise<string> {
    const { group, maxRuns, onError } = this.#options
    if (group.signal.aborted) throw new Problem(503, 'the server is ending', 'send it again to one that goes on')
    if (this.#underWay >= maxRuns)
      throw new Problem(429, `${maxRuns} runs that were asked for are under way`, 'wait for one of them, or cancel it')
    const begun = Promise.withResolvers<string>()
    this.#underWay += 1
    group.spawn(async (signal) => {
      using link = new LinkedSignal(signal)
      let run: string | undefined
      const onEvent = (event: RunEvent): void => {
        if (event.type !== 'run.started') return
        run = event.run
        this.#runs.set(run, link)
        begun.resolve(run)
      }
      try {
        await work({ signal: link.signal, onEvent })
        begun.reject(new Problem(409, 'there is nothing to do', 'look at what there is'))
      } catch (error) {
        // It has ended in the ledger; that it did must not end the others.
        if (run !== undefined) onError(error)
        begun.reject(error)
      } finally {
        this.#underWay -= 1
        if (run !== undefined) this.#runs.delete(run)
      }
    })
    return begun.promise
  }
}
