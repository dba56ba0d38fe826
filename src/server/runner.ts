import type { Database } from '../database/database.ts'
import { LinkedSignal } from '../flow/signals/linked-signal.ts'
import { sleep } from '../flow/signals/sleep.ts'
import type { TaskGroup } from '../flow/task-group.ts'
import { dropRequest, noteRequest, claimRequest, type KeyedRequest } from '../ledger/requests.ts'
import { requestStop } from '../ledger/runs.ts'
import { CancelledError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { Problem } from './response/problem.ts'

/** Options that the server adds to those of a run: it ends with the server, or when it is cancelled. */
export interface RunHooks {
  readonly signal: AbortSignal
  readonly onEvent: (event: RunEvent) => void
}

export interface RunnerOptions {
  readonly database: Database
  readonly group: TaskGroup
  /** Limit of runs under way that requests have started. */
  readonly maxRuns: number
  readonly onError: (error: unknown) => void
}

/** Wait this long for another server that has just accepted the same request. */
const STARTING_TIMEOUT_MS = 5_000
const STARTING_POLL_MS = 200
const NOTE_RETRY_MS = 1_000

/** Starts runs for requests, in the server's task group. The id of a run is returned as soon as it has started. */
export class Runner {
  readonly #options: RunnerOptions
  readonly #runs = new Map<string, LinkedSignal>()
  /** Runs by the key of their request, until the ledger has them. */
  readonly #unnoted = new Map<string, string>()
  #underWay = 0

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Returns true if this server started the run and it is still under way. */
  has(run: string): boolean {
    return this.#runs.has(run)
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Returns the run that was started for the request's key, or starts one. Without a key it always starts one. */
  async start(
    request: Omit<KeyedRequest, 'key'> & { readonly key: string | undefined },
    work: (hooks: RunHooks) => Promise<unknown>,
  ): Promise<string> {
    const { key } = request
    if (key === undefined) return this.#start(work)
    const known = await this.#take({ ...request, key })
    if (known !== undefined) return known
    const run = await this.#start(work).catch(async (error: unknown) => {
      await dropRequest(this.#options.database, key).catch(this.#options.onError)
      throw error
    })
    this.#unnoted.set(key, run)
    await this.#note(key, run)
    return run
  }

  /** Asks a run to stop, in any process. Returns when it was first asked; undefined if it is not running. */
  async cancel(run: string): Promise<Date | undefined> {
    const at = await requestStop(this.#options.database, run)
    // Behind a pooler the run itself would learn of it only some seconds later.
    if (at) this.#runs.get(run)?.abort(new CancelledError(`run ${run} was asked to stop`))
    return at
  }

  /** Takes a key for this server, or returns the run that was started for it. */
  async #take(request: KeyedRequest): Promise<string | undefined> {
    const { database, group } = this.#options
    for (let waited = 0; ; waited += STARTING_POLL_MS) {
      const taken = await claimRequest(database, request)
      if (taken.type === 'known') return taken.run
      if (taken.type === 'other')
        throw new Problem(
          422,
          'this Idempotency-Key was used for another request',
          'use a new key for each run that you want to start',
        )
      const started = this.#unnoted.get(request.key)
      if (started !== undefined) return started
      if (taken.type === 'claimed') return undefined
      if (waited >= STARTING_TIMEOUT_MS)
        throw new Problem(409, 'another server is starting the same request', 'send it again in a moment')
      await sleep(STARTING_POLL_MS, { signal: group.signal })
    }
  }

  /** Stores the run of a key. The run has started, so a failure must not free the key: it is retried until it works. */
  async #note(key: string, run: string): Promise<void> {
    const { database, group, onError } = this.#options
    const note = async (): Promise<void> => {
      await noteRequest(database, key, run)
      this.#unnoted.delete(key)
    }
    try {
      await note()
    } catch (error) {
      onError(error)
      if (group.signal.aborted) return
      group.spawn(async (signal) => {
        while (this.#unnoted.has(key) && !signal.aborted) {
          await sleep(NOTE_RETRY_MS, { signal })
            .then(note, () => {})
            .catch(() => {})
        }
      })
    }
  }

  async #start(work: (hooks: RunHooks) => Promise<unknown>): Promise<string> {
    const { group, maxRuns, onError } = this.#options
    if (group.signal.aborted) throw new Problem(503, 'the server is closing', 'send it again when the server is up')
    if (this.#underWay >= maxRuns)
      throw new Problem(
        429,
        `the limit of ${maxRuns} started ${maxRuns === 1 ? 'run' : 'runs'} is reached`,
        'wait until one ends, or cancel one',
      )
    const started = Promise.withResolvers<string>()
    this.#underWay += 1
    group.spawn(async (signal) => {
      using link = new LinkedSignal(signal)
      let run: string | undefined
      const onEvent = (event: RunEvent): void => {
        if (event.type !== 'run.started') return
        run = event.run
        this.#runs.set(run, link)
        started.resolve(run)
      }
      try {
        await work({ signal: link.signal, onEvent })
        started.reject(new Problem(409, 'there is nothing to do', 'see /api/summary for the streams'))
      } catch (error) {
        // The ledger has the failure of the run; it must not end the others in the group.
        if (run !== undefined) onError(error)
        started.reject(error)
      } finally {
        this.#underWay -= 1
        if (run !== undefined) this.#runs.delete(run)
      }
    })
    return started.promise
  }
}
