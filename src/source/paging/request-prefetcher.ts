import { setImmediate } from 'node:timers/promises'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { HttpSource } from '../../model/recipe.ts'
import type { PageRequest } from '../../model/request.ts'
import type { MemoryAccount } from '../../flow/memory-account.ts'
import type { DecodedResponse, Scope, SendOptions } from '../../model/scope.ts'
import { giveBackOnce } from '../hold.ts'

interface PendingRequest {
  readonly key: string
  readonly memory: MemoryAccount
  /** Whether its page was taken and not given back yet. */
  readonly use: { isOut: boolean }
  readonly link: LinkedSignal
  readonly answer: Promise<DecodedResponse>
}

/**
 * Requests of one chain that are on their way before their turn. What they bring and nobody takes is given back;
 * leaving cancels and awaits them.
 */
export class RequestPrefetcher implements AsyncDisposable {
  readonly #source: HttpSource
  readonly #scope: Scope
  readonly #link: LinkedSignal
  readonly #pending: PendingRequest[] = []
  readonly #cancelled = new Set<Promise<void>>()
  /** Whose answer is waited for now. */
  #awaited: string | undefined
  /** Pages that were taken and not given back yet. */
  #held = 0

  constructor(source: HttpSource, scope: Scope) {
    this.#source = source
    this.#scope = scope
    this.#link = new LinkedSignal(scope.signal)
  }

  /** The answer to this request, which may be on its way; the others then only wait for their turn. */
  async take(request: PageRequest): Promise<DecodedResponse & { readonly memory: MemoryAccount }> {
    const key = keyOf(request)
    const flight = this.#pending[0]?.key === key ? this.#pending.shift()! : this.#start(request, false)
    this.#awaited = key
    this.#scope.memory.recheck()
    try {
      const received = await flight.answer
      this.#held++
      flight.use.isOut = true
      return { ...received, memory: flight.memory, hold: giveBackOnce(() => this.#release(flight, received.hold)) }
    } finally {
      this.#awaited = undefined
      flight.link[Symbol.dispose]()
    }
  }

  /**
   * Send these ahead, in the order in which they will be taken. Those on their way that are not among them are called
   * back.
   */
  async send(next: readonly PageRequest[]): Promise<void> {
    const keys = next.map(keyOf)
    const stays = this.#pending.findIndex(({ key }, place) => key !== keys[place])
    if (stays >= 0) this.#cancel(this.#pending.splice(stays))
    const missing = next.slice(this.#pending.length)
    if (missing.length === 0) return
    for (const request of missing) this.#pending.push(this.#start(request, next.length > 1))
    // undici hands a connection on only after the event loop has turned: without this, work on the last page comes
    // first and nothing overlaps.
    await setImmediate()
    await setImmediate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel(this.#pending.splice(0))
    await Promise.all(this.#cancelled)
    this.#link[Symbol.dispose]()
  }

  /**
   * One of several has an account of its own: the one whose turn it is must not wait for those behind it to give
   * something back.
   */
  #start(request: PageRequest, isOneOfSeveral: boolean): PendingRequest {
    const key = keyOf(request)
    const use = { isOut: false }
    const isNext = (): boolean => use.isOut || (this.#awaited === key && this.#held === 0)
    const memory = isOneOfSeveral ? this.#scope.memory.child(isNext) : this.#scope.memory
    const link = new LinkedSignal(this.#link.signal)
    const {
      request: { headers, emptyOn },
      api,
    } = this.#source
    const options: SendOptions = {
      signal: link.signal,
      memory,
      ...(headers && { headers }),
      ...(emptyOn && { emptyOn }),
      ...(this.#scope.stream !== undefined && { stream: this.#scope.stream }),
    }
    const answer = Promise.try(() => this.#scope.client(api).send(request, options))
    answer.catch(() => {}) // Reported when its turn comes, if it does.
    return { key, memory, use, link, answer }
  }

  #release(flight: PendingRequest, hold: Disposable): void {
    flight.use.isOut = false
    this.#held--
    hold[Symbol.dispose]()
    this.#scope.memory.recheck()
  }

  #cancel(flights: readonly PendingRequest[]): void {
    for (const { link, answer } of flights) {
      link.abort(new DOMException('This page is not needed', 'AbortError'))
      const ended: Promise<void> = answer
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
