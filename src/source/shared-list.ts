// One list that several streams of a run read at the same time, such as the parents of two child streams: a request
// that one of them has sent is not sent again for the others.
import type { SpareMemory } from '../flow/memory-account.ts'
import { abortable } from '../flow/signals/abortable.ts'
import type { PageRequest } from '../model/request.ts'
import type { Client, DecodedResponse, JoinedList, SendOptions } from '../model/scope.ts'
import { KeptResponse } from './kept-response.ts'

/**
 * Responses that are kept for a reader that is behind. The readers before it wait for it then, and so they do where
 * less than the next response is left of the memory for them.
 */
const MAX_KEPT = 8
/** The most that are kept, because several requests may be under way when a reader stops to wait. */
const MAX_SENT_AT_ONCE = 32
/** Time to wait for the other readers before the first request. */
const START_MS = 1_000
/** Time to wait for a reader that is behind. Afterwards it reads by itself. */
const PATIENCE_MS = 60_000
/** Requests in a row that nobody else has made, although others read: the reader has another range. */
const MAX_ALONE = 3

/**
 * Each reader has its own place in the list, and everything else of its own: pages, position, checks of the list. It
 * gets a response once, and none that was requested before the one that it got last: so a list that moves looks to it
 * as it would to a single reader that is slow. What is not kept, it requests itself.
 *
 * What is kept is spare memory: if a reader of any list needs it, the readers that it is kept for read by themselves
 * from then on. So no reader waits for memory that another one would have to take first.
 */
export class SharedList implements JoinedList {
  readonly #missing: Set<string>
  readonly #members = new Set<Member>()
  #start: PromiseWithResolvers<void> = Promise.withResolvers()
  #hasStarted = false
  #change: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly #memory: SpareMemory
  /** Responses that are to be kept and have not come yet. */
  #expected = 0
  /** The size of the last response. */
  #lastBytes = 0

  /** `streams`: those that may read the list. `memory`: for what is kept. */
  constructor(streams: readonly string[], memory: SpareMemory) {
    this.#missing = new Set(streams)
    this.#memory = memory
  }

  /** False if the next response could not be kept. */
  get hasRoom(): boolean {
    return this.#memory.fits((this.#expected + 1) * this.#lastBytes)
  }

  /**
   * Returns a client for the reader of one stream, undefined if the others have started already. Dispose it when the
   * reader ends.
   */
  join(stream: string, client: Client): (Client & Disposable) | undefined {
    if (this.#hasStarted) return undefined
    const member = new Member(this, client)
    this.#members.add(member)
    this.#arrive(stream)
    return member
  }

  /** The reader of a stream reads by itself, because it resumes inside the list or has ended. */
  pass(stream: string): void {
    if (!this.#hasStarted) this.#arrive(stream)
  }

  /** Resolves when all streams have come, or after a second. */
  async started(signal: AbortSignal): Promise<void> {
    if (this.#hasStarted) return
    const timer = setTimeout(() => this.#begin(), START_MS)
    await abortable(this.#start.promise, signal).finally(() => clearTimeout(timer))
  }

  leave(member: Member): void {
    this.#members.delete(member)
    this.wake()
  }

  /** Keeps a response for all other readers. */
  keep(key: string, response: Promise<DecodedResponse>, from: Member): void {
    const readers = [...this.#members].filter((member) => member !== from)
    if (readers.length === 0) return
    const kept = new KeptResponse(key, response, readers, this.#memory)
    for (const reader of readers) reader.keep(kept)
    void this.#expect(kept)
  }

  async #expect({ received }: KeptResponse): Promise<void> {
    this.#expected++
    this.#lastBytes = (await received) ?? this.#lastBytes
    this.#expected--
    this.wake()
  }

  /** Waits until no reader is far behind this one. A reader that stays behind reads by itself from then on. */
  async room(from: Member, signal: AbortSignal): Promise<void> {
    if (this.#full(from).length === 0) return
    const late = setTimeout(() => {
      for (const member of this.#full(from)) member[Symbol.dispose]()
    }, PATIENCE_MS)
    try {
      while (this.#full(from).length > 0) await abortable(this.#change.promise, signal)
    } finally {
      clearTimeout(late)
    }
  }

  /** Some reader has taken a response, waits or has left. */
  wake(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }

  #full(from: Member): Member[] {
    return [...this.#members].filter((member) => member !== from && member.isBehind)
  }

  #arrive(stream: string): void {
    this.#missing.delete(stream)
    if (this.#missing.size === 0) this.#begin()
  }

  #begin(): void {
    this.#hasStarted = true
    this.#start.resolve()
  }
}

class Member implements Client, Disposable {
  readonly #list: SharedList
  readonly #client: Client
  /** In the order in which they were requested, all after the last response that this reader got. */
  #kept: KeptResponse[] = []
  #alone = 0
  #waiting = false
  #decided: Promise<unknown> = Promise.resolve()
  #hasLeft = false

  constructor(list: SharedList, client: Client) {
    this.#list = list
    this.#client = client
  }

  /** True if so many responses wait for it that the others wait, too. Two readers never wait for each other. */
  get isBehind(): boolean {
    if (this.#waiting) return false
    return this.#kept.length >= MAX_KEPT || (!this.#list.hasRoom && this.#kept.some(({ isHeld }) => isHeld))
  }

  keep(response: KeptResponse): void {
    if (this.#kept.length >= MAX_SENT_AT_ONCE) this.#kept.shift()?.drop(this)
    this.#kept.push(response)
  }

  readonly send = async (request: PageRequest, options: SendOptions): Promise<DecodedResponse> => {
    const { signal, memory } = options
    await this.#list.started(signal)
    if (this.#hasLeft || options.parts?.from) return this.#client.send(request, options)
    // One after the other: a response may not be taken for a page while the page before it is to be requested anew.
    const decision = this.#decided.then(() => this.#decide(request, options))
    this.#decided = decision.catch(() => {})
    const { taken, sent } = await decision
    if (sent) return sent
    try {
      return (await taken.copyFor(this, { memory, signal })) ?? (await this.#client.send(request, options))
    } finally {
      this.#list.wake()
    }
  };

  /** From now on it reads by itself. */
  [Symbol.dispose](): void {
    this.#hasLeft = true
    this.#forget()
    this.#list.leave(this)
  }

  #forget(): void {
    for (const kept of this.#kept.splice(0)) kept.drop(this)
  }

  /** Takes a response that another reader has requested, or sends a request. */
  async #decide(request: PageRequest, options: SendOptions): Promise<Decision> {
    const { signal } = options
    const key = JSON.stringify(request)
    let taken = await this.#take(key, signal)
    if (taken) return { taken }
    if (this.#kept.length > 0 && ++this.#alone >= MAX_ALONE) this[Symbol.dispose]()
    if (this.#hasLeft) return { sent: this.#client.send(request, options) }
    this.#waiting = true
    this.#list.wake()
    await this.#list.room(this, signal).finally(() => {
      this.#waiting = false
    })
    taken = await this.#take(key, signal)
    if (taken) return { taken }
    // What is kept now is older than this request.
    this.#forget()
    this.#list.wake()
    const sent = this.#client.send(request, options)
    if (!this.#hasLeft) this.#list.keep(key, sent, this)
    return { sent }
  }

  /** Returns the kept response to a request, undefined if there is none. Call its `copyFor`, or drop it. */
  async #take(key: string, signal: AbortSignal): Promise<KeptResponse | undefined> {
    const index = this.#kept.findIndex((one) => one.key === key)
    const found = this.#kept[index]
    if (!found) return undefined
    for (const older of this.#kept.splice(0, index + 1)) if (older !== found) older.drop(this)
    this.#alone = 0
    this.#list.wake()
    try {
      await abortable(found.received, signal)
    } catch (error) {
      found.drop(this)
      throw error
    }
    if (found.isHeld) return found
    found.drop(this)
    return undefined
  }
}

type Decision =
  | { readonly taken: KeptResponse; readonly sent?: undefined }
  | { readonly taken?: undefined; readonly sent: Promise<DecodedResponse> }
