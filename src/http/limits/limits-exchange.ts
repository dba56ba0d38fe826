import type { KnownLimits, Limits, SharedRate } from '../../model/rate.ts'
import { messageOf } from '../../value/error.ts'
import type { Time } from './time.ts'

/** If no notification arrives, limits of other processes are read after this time. */
const REFRESH_MS = 15_000

export interface LimitsExchangeOptions {
  readonly shared: SharedRate
  readonly time: Time
  /** Names the API in messages. */
  readonly origin: string
  /** Called once, if limits cannot be reported. */
  readonly warn: (message: string) => void
  /** Called before each read. `onLimits` gets its result. */
  readonly startRead: () => number
  /** Called with the limits that all processes have reported. */
  readonly onLimits: (limits: KnownLimits, startOfRead: number) => void
  /** Called when the ledger has stored the limits of a response. */
  readonly onReported: (limits: Limits) => void
  /** Ends all statements. */
  readonly signal: AbortSignal
}

/** Exchanges an API's limits with other processes: reports those of this process, and reads those of the others. */
export class LimitsExchange implements AsyncDisposable {
  readonly #options: LimitsExchangeOptions
  #subscription: Disposable | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> = Promise.resolve()
  #isReadQueued = false
  #reporting: Promise<void> = Promise.resolve()
  #isWarned = false

  constructor(options: LimitsExchangeOptions) {
    this.#options = options
  }

  /** True after the limits of other processes were read. Notifications keep them up to date. */
  get isOpen(): boolean {
    return this.#subscription !== undefined
  }

  /** Resolves when all limits have been reported. */
  get reported(): Promise<void> {
    return this.#reporting
  }

  /** Before the first request, waits for the limits of other processes. Later starts a read if the last is too old. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { shared, time } = this.#options
    if (!this.#subscription) {
      await this.read(signal)
      this.#subscription = shared.subscribe(() => this.#startRead())
    } else if (time.clock() - this.#readAt > REFRESH_MS) this.#startRead()
  }

  /** Reads the limits of all processes. */
  async read(signal: AbortSignal): Promise<void> {
    const { shared, time, onLimits, startRead } = this.#options
    const startOfRead = startRead()
    const readAt = time.clock()
    onLimits(await shared.read({ signal }), startOfRead)
    this.#readAt = readAt
  }

  /** Reports limits in the background, after those reported before. */
  report(limits: Limits): void {
    const { shared, signal, warn, origin, onReported } = this.#options
    this.#reporting = this.#reporting
      .then(() => shared.report(limits, { signal }))
      .then(() => onReported(limits))
      .catch((error: unknown) => {
        if (this.#isWarned || signal.aborted) return
        this.#isWarned = true
        warn(`the limits that ${origin} states could not be reported to other processes: ${messageOf(error)}`)
      })
  }

  /** Stops listening, and waits for a read under way, which the signal ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]()
    await this.#reading
  }

  /**
   * Starts a read in the background; its limits hold for the requests after this one. However many notifications
   * arrive, one read is under way and at most one is queued.
   */
  #startRead(): void {
    const { signal, time } = this.#options
    this.#readAt = time.clock()
    if (this.#isReadQueued) return
    this.#isReadQueued = true
    this.#reading = this.#reading
      .then(() => {
        this.#isReadQueued = false
        return signal.aborted ? undefined : this.read(signal)
      })
      .catch(() => {})
  }
}
