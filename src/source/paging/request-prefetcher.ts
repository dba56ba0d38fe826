// Requests of one page sequence that are sent before their pages are wanted.
import { setImmediate } from 'node:timers/promises'
import { AdaptiveLimit } from '../../flow/adaptive-limit.ts'
import type { MemoryAccount } from '../../flow/memory-account.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { HttpSource } from '../../model/recipe.ts'
import type { PageRequest } from '../../model/request.ts'
import type { BodyPosition, DecodedResponse, Scope, SendOptions } from '../../model/scope.ts'
import { defined } from '../../value/defined.ts'
import { isReadInParts, recordsPath, requestOptions } from '../request-options.ts'

/** Pages that are requested at the same time at first, and at most where the API has no `concurrency`. */
const MAX_AT_ONCE = 8
/** Statuses of an API that is too busy. 0: there was no response. */
const BUSY = new Set([0, 429, 503])

interface PendingRequest {
  readonly key: string
  readonly memory: MemoryAccount
  /** True from the time when its response was taken until it is released. */
  readonly state: { isHeld: boolean }
  readonly link: LinkedSignal
  readonly response: Promise<DecodedResponse>
}

export type HeldResponse = DecodedResponse & { readonly memory: MemoryAccount }

/**
 * Order of calls: `take` a response, `send` the requests that probably follow, `take` the next one, and so on.
 * Disposing cancels the pending requests, waits for their end, and releases the responses that were not taken.
 */
export class RequestPrefetcher implements AsyncDisposable {
  readonly #source: HttpSource
  readonly #scope: Scope
  readonly #link: LinkedSignal
  readonly #pending: PendingRequest[] = []
  readonly #cancelled = new Set<Promise<void>>()
  /** Key of the request that `take` waits for. */
  #awaited: string | undefined
  /** Responses that were taken and not released yet. */
  #held = 0

  /** Requests of this reading in flight. */
  #inFlight = 0
  readonly #limit: AdaptiveLimit
  readonly #parts: Pick<SendOptions, 'parts'>

  /** `from`: the place in the body of the first response where reading continues. */
  constructor(source: HttpSource, scope: Scope, from?: BodyPosition) {
    const { concurrency = MAX_AT_ONCE } = source.api
    this.#limit = new AdaptiveLimit({ start: Math.min(concurrency, MAX_AT_ONCE), max: concurrency })
    this.#source = source
    this.#scope = scope
    this.#parts = isReadInParts(source) ? { parts: { signal: scope.signal, from } } : {}
    this.#link = new LinkedSignal(scope.signal)
  }

  /** Returns the response to a request, and sends it if that was not done ahead. */
  async take(request: PageRequest): Promise<HeldResponse> {
    const pending = this.#takePending(request) ?? this.#start(request, this.#scope.memory)
    this.#awaited = pending.key
    this.#scope.memory.recheck()
    try {
      const response = await pending.response
      this.#held++
      pending.state.isHeld = true
      const hold = new DisposableStack()
      hold.defer(() => this.#release(pending, response.hold))
      return { ...response, memory: pending.memory, hold }
    } finally {
      this.#awaited = undefined
      pending.link[Symbol.dispose]()
    }
  }

  /** The number of requests that may be sent ahead now. Requests that were sent stay, also if the number has fallen. */
  get atOnce(): number {
    return Math.max(this.#limit.limit, this.#pending.length)
  }

  /**
   * Sends requests ahead, in the order in which they will be taken. Cancels pending requests that are not among them.
   */
  async send(requests: readonly PageRequest[]): Promise<void> {
    const keys = requests.map(keyOf)
    const firstWrong = this.#pending.findIndex(({ key }, index) => key !== keys[index])
    if (firstWrong >= 0) {
      // The guess was wrong, so guess fewer: pages of unequal sizes would cost many requests in vain.
      this.#limit.failed(this.#inFlight)
      this.#cancel(this.#pending.splice(firstWrong))
    }
    const missing = requests.slice(this.#pending.length)
    if (missing.length === 0) return
    for (const request of missing)
      this.#pending.push(this.#start(request, requests.length > 1 ? 'own' : this.#scope.memory))
    // undici writes a request only after the event loop has turned. Without this, the work on the last page comes first
    // and nothing overlaps.
    await setImmediate()
    await setImmediate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel(this.#pending.splice(0))
    await Promise.all(this.#cancelled)
    this.#link[Symbol.dispose]()
  }

  #takePending(request: PageRequest): PendingRequest | undefined {
    return this.#pending[0]?.key === keyOf(request) ? this.#pending.shift() : undefined
  }

  /**
   * One of several requests needs an account of its own: the page that is wanted next must not wait for memory that the
   * pages behind it hold.
   */
  #start(request: PageRequest, account: MemoryAccount | 'own'): PendingRequest {
    const key = keyOf(request)
    const state = { isHeld: false }
    const isNext = (): boolean => state.isHeld || (this.#awaited === key && this.#held === 0)
    const memory = account === 'own' ? this.#scope.memory.child(isNext) : account
    const link = new LinkedSignal(this.#link.signal)
    const { api, request: template } = this.#source
    const options = {
      signal: link.signal,
      memory,
      onTry: (status: number, ms: number) => {
        if (link.signal.aborted) return
        if (BUSY.has(status)) this.#limit.failed(this.#inFlight)
        else this.#limit.succeeded(ms, this.#inFlight)
      },
      acceptFaults: true,
      ...this.#parts,
      ...requestOptions(template),
      ...defined({ stream: this.#scope.stream, records: recordsPath(this.#source) }),
    }
    this.#inFlight++
    const response = Promise.try(() => this.#scope.client(api).send(request, options)).finally(() => this.#inFlight--)
    response.catch(() => {}) // `take` reports it.
    return { key, memory, state, link, response }
  }

  #release({ state }: PendingRequest, hold: Disposable): void {
    state.isHeld = false
    this.#held--
    hold[Symbol.dispose]()
    this.#scope.memory.recheck()
  }

  #cancel(requests: readonly PendingRequest[]): void {
    for (const { link, response } of requests) {
      link.abort(new DOMException('This page is not needed', 'AbortError'))
      const ended: Promise<void> = response
        .then(
          ({ hold }) => hold[Symbol.dispose](),
          () => {},
        )
        .finally(() => {
          link[Symbol.dispose]()
          this.#cancelled.delete(ended)
        })
      this.#cancelled.add(ended)
    }
  }
}

const keyOf = (request: PageRequest): string => JSON.stringify(request)
