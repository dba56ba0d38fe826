// One list that several streams of a run read at the same time, such as the parents of two child streams: a request
// that one of them has sent is not sent again for the others.
import { abortable } from '../flow/signals/abortable.ts'
import type { PageRequest } from '../model/request.ts'
import type { Client, DecodedResponse, JoinedList, SendOptions } from '../model/scope.ts'

/** Responses that are kept for a reader that is behind. The readers before it wait for it then. */
const MAX_KEPT = 8
/** The most that are kept, because several requests may be under way when a reader stops to wait. */
const MAX_SENT_AT_ONCE = 32
/** Larger bodies are not kept. They are requested again. */
const MAX_BYTES = 1 << 20
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
 */
export class SharedList implements JoinedList {
  readonly #missing: Set<string>
  readonly #members = new Set<Member>()
  #start: PromiseWithResolvers<void> = Promise.withResolvers()
  #hasStarted = false
  #change: PromiseWithResolvers<void> = Promise.withResolvers()

  /** `streams`: those that may read the list. */
  constructor(streams: readonly string[]) {
    this.#missing = new Set(streams)
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
  keep(response: Kept, from: Member): void {
    for (const member of this.#members) if (member !== from) member.keep(response)
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

/** A response that a reader has requested, for another one. */
interface Kept {
  readonly key: string
  /** Undefined if it cannot be kept, or if the request has failed. */
  readonly response: Promise<DecodedResponse | undefined>
}

class Member implements Client, Disposable {
  readonly #list: SharedList
  readonly #client: Client
  /** In the order in which they were requested, all after the last response that this reader got. */
  #kept: Kept[] = []
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
    return this.#kept.length >= MAX_KEPT && !this.#waiting
  }

  keep(response: Kept): void {
    if (this.#kept.length >= MAX_SENT_AT_ONCE) this.#kept.shift()
    this.#kept.push(response)
  }

  readonly send = async (request: PageRequest, options: SendOptions): Promise<DecodedResponse> => {
    const { signal, memory } = options
    await this.#list.started(signal)
    if (this.#hasLeft || options.parts?.from) return this.#client.send(request, options)
    // One after the other: a response may not be taken for a page while the page before it is to be requested anew.
    const decision = this.#decided.then(() => this.#decide(request, options))
    this.#decided = decision.catch(() => {})
    const { kept, sent } = await decision
    if (sent) return sent
    const hold = await memory.reserve(kept.bytes, { signal })
    return { ...copyOf(kept), hold }
  };

  [Symbol.dispose](): void {
    this.#hasLeft = true
    this.#kept = []
    this.#list.leave(this)
  }

  /** Takes a response that another reader has requested, or sends a request. */
  async #decide(request: PageRequest, options: SendOptions): Promise<Decision> {
    const { signal } = options
    const key = JSON.stringify(request)
    let kept = await this.#take(key, signal)
    if (kept) return { kept }
    if (this.#kept.length > 0 && ++this.#alone >= MAX_ALONE) this[Symbol.dispose]()
    if (this.#hasLeft) return { sent: this.#client.send(request, options) }
    this.#waiting = true
    this.#list.wake()
    await this.#list.room(this, signal).finally(() => {
      this.#waiting = false
    })
    kept = await this.#take(key, signal)
    if (kept) return { kept }
    // What is kept now is older than this request.
    this.#kept = []
    this.#list.wake()
    const sent = this.#client.send(request, options)
    if (!this.#hasLeft) this.#list.keep({ key, response: sent.then(keptOf, () => undefined) }, this)
    return { sent }
  }

  async #take(key: string, signal: AbortSignal): Promise<DecodedResponse | undefined> {
    const index = this.#kept.findIndex((one) => one.key === key)
    const found = this.#kept[index]
    if (!found) return undefined
    this.#kept.splice(0, index + 1)
    this.#alone = 0
    this.#list.wake()
    return abortable(found.response, signal)
  }
}

type Decision =
  | { readonly kept: DecodedResponse; readonly sent?: undefined }
  | { readonly kept?: undefined; readonly sent: Promise<DecodedResponse> }

/** Returns a copy to keep. The reader's stages may change the records of the response itself. */
function keptOf(response: DecodedResponse): DecodedResponse | undefined {
  const { parts, faults, bytes } = response
  return parts || faults || bytes > MAX_BYTES ? undefined : copyOf(response)
}

const copyOf = (response: DecodedResponse): DecodedResponse => ({
  ...response,
  body: copied(response.body),
  ...(response.found && { found: response.found.map(copied) }),
})

/** Copies lists and plain objects. Other values, such as a `Decimal`, cannot be changed. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)]))
}
