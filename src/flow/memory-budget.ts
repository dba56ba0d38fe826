import type { MemoryAccount, MemoryHold } from './memory-account.ts'
import { onAbort } from './signals/on-abort.ts'

/** All accounts that stem from one root: a stream's reader with its children and theirs. */
interface Tree {
  held: number
  readonly shares: Set<Share>
  closed: boolean
}
interface Reader {
  readonly tree: Tree
  readonly above?: Reader
  readonly isNext: () => boolean
  held: number
}
interface Share {
  readonly reader: Reader
  bytes: number
}
interface Waiter {
  readonly reader: Reader
  readonly bytes: number
  readonly granted: (hold: MemoryHold) => void
  readonly failed: (error: unknown) => void
  /** How many that came later were served earlier. */
  overtaken: number
}

/** After so many others were let past it, a tree that holds nothing is treated as if others waited for it. */
const MAX_OVERTAKEN = 16

/**
 * Bounds the bytes that are held at once by many readers, of which some read on behalf of others.
 *
 * Whoever wants more than is left waits; a request that is larger than the whole limit is served when nothing is held.
 * That alone would dead-lock: a reader that holds a parent's page until its children are read cannot give anything back
 * before a child gets a page. So three kinds of request are told apart, each in the order in which they came:
 *
 * | request | served |
 * |---|---|
 * | **blocked**: its account holds nothing, it is next all the way up, and its tree holds something | when it fits; else as overdraft |
 * | **first**: the same, but its tree holds nothing, so that nobody waits for it to give something back | when it fits, and no later one of its kind before it |
 * | **ahead**: anything else; it would only be useful later | when it fits, and none of the kinds above waits |
 *
 * Overdraft is lent along one chain at a time, from a root down to a leaf: to a reader that is on top of all that was
 * overdrawn so far. So the total never passes the limit and one page for each reader of a chain. It passes on when all
 * of it has been given back, or fits after all. The chain that has it is never refused. Whatever else was overdrawn is
 * a page that goes before the one asked for, and is given back without it. So the chain goes on, gives back what it
 * holds and passes it on: hence no dead-lock. The oldest that waits is next, and a
 * *first* one that was overtaken too often counts as *blocked*: hence nobody starves.
 *
 * This needs two things of consumers: that they give back a page in bounded time, without waiting for a later one; and
 * `recheck` after the turn has moved on.
 */
export class MemoryBudget {
  readonly limit: number
  #used = 0
  #peak = 0
  readonly #waiters: Waiter[] = []
  /** Lent beyond the limit, all along one chain. */
  readonly #overdrawn = new Set<Share>()

  constructor(limitBytes: number) {
    if (!(limitBytes > 0)) throw new RangeError(`A memory budget must be a positive number of bytes, not ${limitBytes}`)
    this.limit = limitBytes
  }

  get used(): number {
    return this.#used
  }

  /** The most that was ever held at once. */
  get peak(): number {
    return this.#peak
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** An account of its own, for one stream. Disposing it gives back whatever it and those below it still hold. */
  account(): MemoryAccount & Disposable {
    const tree: Tree = { held: 0, shares: new Set(), closed: false }
    return { ...this.#open({ tree, isNext: () => true, held: 0 }), [Symbol.dispose]: () => this.#close(tree) }
  }

  #open(reader: Reader): MemoryAccount {
    return {
      reserve: (bytes, { signal }) => this.#take(reader, bytes, signal),
      child: (isNext) => this.#open({ tree: reader.tree, above: reader, isNext, held: 0 }),
      recheck: () => this.#serve(),
    }
  }

  async #take(reader: Reader, bytes: number, signal: AbortSignal | undefined): Promise<MemoryHold> {
    signal?.throwIfAborted()
    checkBytes(bytes)
    if (reader.tree.closed) throw new Error('This account with the memory budget is closed')
    const { promise, resolve: granted, reject: failed } = Promise.withResolvers<MemoryHold>()
    const waiter: Waiter = { reader, bytes, granted, failed, overtaken: 0 }
    this.#waiters.push(waiter)
    this.#serve()
    using _ = onAbort(signal, (reason) => {
      const index = this.#waiters.indexOf(waiter)
      if (index < 0) return
      this.#waiters.splice(index, 1)
      failed(reason)
      this.#serve() // Others may have stood behind it.
    })
    return await promise
  }

  #serve(): void {
    for (;;) {
      if (this.#used <= this.limit) this.#overdrawn.clear()
      const index = this.#choose()
      if (index < 0) return
      for (const passed of this.#waiters.slice(0, index)) passed.overtaken++
      const [waiter] = this.#waiters.splice(index, 1)
      this.#grant(waiter!)
    }
  }

  /** Who is served now: an index among the waiters, or −1. */
  #choose(): number {
    let mayPass = true
    let isWaitedFor = false
    for (const [index, { reader, bytes, overtaken }] of this.#waiters.entries()) {
      if (reader.held > 0 || !chain(reader).every(({ isNext }) => isNext())) continue
      isWaitedFor = true
      const fits = this.#fits(bytes)
      const isBlocked = reader.tree.held > 0 || overtaken >= MAX_OVERTAKEN
      if (isBlocked ? fits || this.#mayOverdraw(reader) : fits && mayPass) return index
      if (!isBlocked) mayPass = false
    }
    return !isWaitedFor && this.#waiters[0] && this.#fits(this.#waiters[0].bytes) ? 0 : -1
  }

  #fits(bytes: number): boolean {
    return this.#used + bytes <= this.limit || this.#used === 0
  }

  #mayOverdraw(reader: Reader): boolean {
    const readers = chain(reader)
    return [...this.#overdrawn].every((share) => readers.includes(share.reader))
  }

  #grant({ reader, bytes, granted }: Waiter): void {
    const share: Share = { reader, bytes: 0 }
    if (this.#used + bytes > this.limit) this.#overdrawn.add(share)
    reader.tree.shares.add(share)
    this.#change(share, bytes)
    granted({
      resize: (bytes) => {
        checkBytes(bytes)
        if (reader.tree.shares.has(share)) this.#resize(share, bytes)
      },
      [Symbol.dispose]: () => {
        if (reader.tree.shares.has(share)) this.#release(share)
      },
    })
  }

  #resize(share: Share, bytes: number): void {
    const isLess = bytes < share.bytes
    this.#change(share, bytes)
    if (isLess) this.#serve()
  }

  #release(share: Share): void {
    this.#change(share, 0)
    share.reader.tree.shares.delete(share)
    this.#serve()
  }

  #change(share: Share, bytes: number): void {
    const more = bytes - share.bytes
    share.bytes = bytes
    if (bytes === 0) this.#overdrawn.delete(share)
    share.reader.held += more
    share.reader.tree.held += more
    this.#used += more
    this.#peak = Math.max(this.#peak, this.#used)
  }

  #close(tree: Tree): void {
    tree.closed = true
    for (const waiter of this.#waiters.filter(({ reader }) => reader.tree === tree)) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      waiter.failed(new Error('This account with the memory budget was closed'))
    }
    for (const share of tree.shares) this.#release(share)
    this.#serve()
  }
}

/** A reader and those above it. */
function chain(reader: Reader): Reader[] {
  const readers: Reader[] = []
  for (let one: Reader | undefined = reader; one; one = one.above) readers.push(one)
  return readers
}

function checkBytes(bytes: number): void {
  if (!(bytes >= 0 && bytes < Infinity)) throw new RangeError(`Bytes must be a number of zero or more, not ${bytes}`)
}
