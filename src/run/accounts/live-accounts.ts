import type { AccountsPipeline, Pipeline } from '../../define/pipeline.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { messageOf } from '../../value/error.ts'
import type { Clock } from '../schedule/clock.ts'
import { expandAccounts, expansionOf, type AccountError, type Expanded, type ExpandOptions } from './expand-accounts.ts'

/** Accounts of a pipeline that have come or gone while a scheduler or a server runs. */
export interface AccountsChange {
  /** The name of the definition, such as `shops`. */
  readonly pipeline: string
  /** Pipelines of accounts that are new, such as `shops@east`. */
  readonly added: readonly string[]
  /** Pipelines of accounts that were removed. */
  readonly removed: readonly string[]
}

export interface AccountsProblem {
  /** Why the accounts of a pipeline cannot be read. */
  readonly message: string
  /** When they could not be read for the first time. */
  readonly since: Date
}

export interface LiveAccountsOptions extends Pick<ExpandOptions, 'database' | 'environment' | 'register'> {
  readonly clock: Clock
  /** Ends a reading that is under way. */
  readonly signal: AbortSignal
  readonly onChange: (change: AccountsChange) => void
  /** Called once for each problem of the list (`shops`) or of one account (`shops@north`), until it is gone. */
  readonly onProblem: (pipeline: string, message: string) => void
}

/** Accounts are read again in this interval. */
const REFRESH_MS = 60_000

/**
 * The accounts of one pipeline, which are read again while a scheduler or a server runs. If they cannot be read, the
 * known ones stay known, and whatever needs them as they are now gets the error.
 */
export class LiveAccounts {
  readonly definition: AccountsPipeline
  readonly #options: LiveAccountsOptions
  /** Accounts that were named when the command started. @default all */
  readonly #chosen: ReadonlySet<string> | undefined
  #known: Expanded
  #knownSince: Date
  #problem: AccountsProblem | undefined
  /** Messages of problems that were reported and last. */
  #reported: ReadonlySet<string>
  #reading: { readonly since: Date; readonly done: Promise<Expanded> } | undefined
  readonly #listeners = new Set<() => void>()

  constructor(
    definition: AccountsPipeline,
    { accounts, ...known }: Expanded & Pick<ExpandOptions, 'accounts'>,
    options: LiveAccountsOptions,
  ) {
    this.definition = definition
    this.#options = options
    this.#chosen = accounts && new Set(accounts.map((account) => `${definition.name}@${account}`))
    this.#known = known
    this.#knownSince = options.clock.now()
    // The command that has read them first reports these.
    this.#reported = new Set(known.failed.map(({ message }) => message))
  }

  /** The accounts as they were read last. */
  get known(): Expanded {
    return this.#known
  }

  /** When the reading began from which `known` is. */
  get knownSince(): Date {
    return this.#knownSince
  }

  /** Why the last reading failed. */
  get problem(): AccountsProblem | undefined {
    return this.#problem
  }

  /** Calls back after each reading that has succeeded, until the result is disposed. */
  onRead(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Returns the accounts as they were at a moment, or at a later one: those that are known, else they are read again.
   * Throws if they cannot be read.
   *
   * @param moment default: now
   */
  async read(signal: AbortSignal, moment = this.#options.clock.now()): Promise<Expanded> {
    for (;;) {
      signal.throwIfAborted()
      // The clock may have been set back: a moment that is to come again is now, and what is known is of no use.
      const now = this.#options.clock.now()
      const asked = moment < now ? moment : now
      if (this.#knownSince >= asked && this.#knownSince <= now) return this.#known
      const { since, done } = (this.#reading ??= this.#start())
      if (since >= asked) return abortable(done, signal)
      // It began too early to know, and its error may be gone.
      await abortable(
        done.catch(() => {}),
        signal,
      )
    }
  }

  /** Reads the accounts again every minute, until the signal aborts. */
  async keepFresh(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#options.clock.sleep(REFRESH_MS, { signal })
      // `problem` has the error.
      await this.read(signal).catch(() => {})
    }
  }

  #start(): { readonly since: Date; readonly done: Promise<Expanded> } {
    const since = this.#options.clock.now()
    return { since, done: this.#readNow(since) }
  }

  async #readNow(since: Date): Promise<Expanded> {
    const { definition } = this
    const { database, environment, register, signal } = this.#options
    const { name } = definition
    try {
      const read = await expandAccounts(definition, {
        database,
        signal,
        register,
        ...(environment && { environment }),
      })
      this.#reading = undefined
      this.#problem = undefined
      this.#take(this.#chosenOf(read), since)
      return this.#known
    } catch (cause) {
      this.#reading = undefined
      signal.throwIfAborted()
      const message = messageOf(cause)
      this.#problem = { message, since: this.#problem?.since ?? since }
      this.#report([[name, `its accounts cannot be read, and its runs fail until they can be: ${message}`]])
      throw cause
    }
  }

  #chosenOf({ pipelines, failed }: Expanded): Expanded {
    const chosen = this.#chosen
    if (!chosen) return { pipelines, failed }
    return {
      pipelines: pipelines.filter(({ name }) => chosen.has(name)),
      failed: failed.filter(({ pipeline }) => chosen.has(pipeline)),
    }
  }

  #take(read: Expanded, since: Date): void {
    const before = namesOf(this.#known)
    const after = namesOf(read)
    this.#known = read
    this.#knownSince = since
    for (const listener of this.#listeners) listener()
    this.#report(read.failed.map(({ pipeline, message }) => [pipeline, message]))
    const change = {
      pipeline: this.definition.name,
      added: [...after].filter((name) => !before.has(name)),
      removed: [...before].filter((name) => !after.has(name)),
    }
    if (change.added.length + change.removed.length > 0) this.#options.onChange(change)
  }

  #report(problems: readonly (readonly [pipeline: string, message: string])[]): void {
    for (const [pipeline, message] of problems)
      if (!this.#reported.has(message)) this.#options.onProblem(pipeline, message)
    this.#reported = new Set(problems.map(([, message]) => message))
  }
}

const namesOf = ({ pipelines, failed }: Expanded): ReadonlySet<string> =>
  new Set([...pipelines.map(({ name }) => name), ...failed.map(({ pipeline }) => pipeline)])

/** Returns the accounts of all pipelines that were made for accounts, by their definitions. */
export function liveAccountsOf(
  pipelines: readonly Pipeline[],
  { register, ...options }: LiveAccountsOptions,
): LiveAccounts[] {
  const expanded = pipelines.flatMap((pipeline) => {
    const expansion = expansionOf(pipeline)
    return expansion ? [{ pipeline, expansion }] : []
  })
  return [...Map.groupBy(expanded, ({ expansion }) => expansion.definition)].map(([definition, all]) => {
    const readings = [...new Set(all.map(({ expansion }) => expansion))]
    // A command that was given two accounts has read them one by one.
    const isWhole = readings.some(({ accounts }) => accounts === undefined)
    const known = {
      pipelines: all.map(({ pipeline }) => pipeline),
      failed: readings.flatMap(({ failed }): readonly AccountError[] => failed),
      ...(!isWhole && { accounts: readings.flatMap(({ accounts = [] }) => accounts) }),
    }
    return new LiveAccounts(definition, known, {
      ...options,
      register: (name, value) => {
        register?.(name, value)
        for (const reading of readings) reading.register?.(name, value)
      },
    })
  })
}
