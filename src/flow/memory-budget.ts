import type { MemoryAccount, MemoryHold, SpareHold, SpareMemory } from './memory-account.ts'
import { onAbort } from './signals/on-abort.ts'
import { SpareShares } from './spare-shares.ts'

/** All accounts of one stream: its reader, with the readers of children and their children. */
interface Tree {
  heldBytes: number
  readonly shares: Set<Share>
  isClosed: boolean
}
interface Reader {
  readonly tree: Tree
  readonly parent?: Reader
  readonly isNext: () => boolean
  heldBytes: number
}
interface Share {
  readonly reader: Reader
  bytes: number
}
interface Waiter {
  readonly reader: Reader
  readonly bytes: number
  /** The bytes are held already, until they are given up. */
  readonly spare?: SpareHold | undefined
  readonly granted: (hold: MemoryHold) => void
  readonly failed: (error: unknown) => void
  /** Requests that came later and were served earlier. */
  overtaken: number
}

/** After this many later requests were served first, treat a tree that holds nothing as blocked. */
const MAX_OVERTAKEN = 16

/** The part of the limit that may be spare. */
const SPARE_PART = 1 / 4

/**
 * Limits the bytes that many readers hold at once, although some readers read on behalf of others.
 *
 * "Wait until it fits" alone would deadlock: a reader holds a page of parents until their children have been read, and
 * a child's reader may wait for that very memory. So a few requests may exceed the limit, as **overdraft**.
 *
 * A reader is *needed* if it holds nothing and its consumer waits for it now, as do the consumers of all readers above
 * it. That divides the waiting requests into three kinds:
 *
 * | kind | the reader is | a request is served |
 * |---|---|---|
 * | blocked | needed, and its tree holds memory | when it fits; otherwise as overdraft |
 * | first | needed, and its tree holds nothing | when it fits and no older first request waits |
 * | ahead | not needed yet | when it fits, is the oldest of all, and no request of the other kinds waits |
 *
 * Within a kind the oldest is served first. A request beyond the whole limit fits when nothing is held.
 *
 * Overdraft is granted only to a reader that is, or is below, every reader that holds overdraft. So all overdraft lies
 * on one line of readers, from a stream down to a child. It ends when the sum is within the limit again; then another
 * line may have it. Three facts follow:
 *
 * - The sum never exceeds the limit by more than one page for each reader of one line.
 * - There is no deadlock: the lowest reader of that line is always served. Its consumer uses the page and releases it,
 *   which in turn lets the reader above release its own.
 * - There is no starvation: the oldest request goes first, and a first request that was overtaken 16 times is blocked.
 *
 * **Spare** memory (see `SpareMemory`) changes none of this: before a blocked or a first request would wait or
 * overdraw, spare memory is given up, the oldest first. Spare bytes that are moved to a reader are in the sum already.
 *
 * Consumers have two duties: release each page in bounded time, without waiting for a later one, and call `recheck`
 * when the next reader is another one.
 */
export class MemoryBudget {
  readonly limit: number
  #used = 0
  #peak = 0
  /** Oldest first. */
  readonly #waiters: Waiter[] = []
  /** Granted beyond the limit, all on one line of readers. */
  readonly #overdraft = new Set<Share>()
  readonly #spares = new SpareShares()
  readonly #readers = new WeakMap<MemoryAccount, Reader>()

  constructor(limitBytes: number) {
    if (!(limitBytes > 0)) throw new RangeError(`A memory budget must be a positive number of bytes, not ${limitBytes}`)
    this.limit = limitBytes
  }

  get used(): number {
    return this.#used
  }

  /** The largest number of bytes that was held at once. */
  get peak(): number {
    return this.#peak
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiters.length
  }

  /** Opens an account for one stream. Disposing it releases all that it and the accounts below it hold. */
  account(): MemoryAccount & Disposable {
    const tree: Tree = { heldBytes: 0, shares: new Set(), isClosed: false }
    return this.#open({ tree, isNext: () => true, heldBytes: 0 }, { [Symbol.dispose]: () => this.#close(tree) })
  }

  readonly spare: SpareMemory = {
    fits: (bytes) => this.#spares.bytes + bytes <= this.limit * SPARE_PART,
    hold: (bytes, onGivenUp) => {
      assertBytes(bytes)
      if (this.#waiters.length > 0 || !this.spare.fits(bytes) || this.#used + bytes > this.limit) return undefined
      const hold: SpareHold = {
        moveTo: (account, { signal }) => this.#move(hold, bytes, account, signal),
        [Symbol.dispose]: () => this.#releaseSpare(hold),
      }
      this.#spares.add(hold, bytes, onGivenUp)
      this.#use(bytes)
      return hold
    },
  }

  #open<More extends object>(reader: Reader, more?: More): MemoryAccount & More {
    const account = {
      reserve: (bytes, { signal }) => this.#reserve(reader, bytes, signal),
      child: (isNext) => this.#open({ tree: reader.tree, parent: reader, isNext, heldBytes: 0 }),
      recheck: () => this.#serve(),
      ...more,
    } as MemoryAccount & More
    this.#readers.set(account, reader)
    return account
  }

  /** `spare`: holds the bytes already. */
  async #reserve(
    reader: Reader,
    bytes: number,
    signal: AbortSignal | undefined,
    spare?: SpareHold,
  ): Promise<MemoryHold> {
    signal?.throwIfAborted()
    assertBytes(bytes)
    if (reader.tree.isClosed) throw new Error('This account of the memory budget is closed')
    const { promise, resolve: granted, reject: failed } = Promise.withResolvers<MemoryHold>()
    const waiter: Waiter = { reader, bytes, spare, granted, failed, overtaken: 0 }
    this.#waiters.push(waiter)
    this.#serve()
    using _ = onAbort(signal, (reason) => {
      const index = this.#waiters.indexOf(waiter)
      if (index < 0) return
      this.#waiters.splice(index, 1)
      failed(reason)
      this.#serve() // Other requests may have waited behind this one.
    })
    return await promise
  }

  async #move(
    hold: SpareHold,
    bytes: number,
    account: MemoryAccount,
    signal: AbortSignal | undefined,
  ): Promise<MemoryHold> {
    const reader = this.#readers.get(account)
    if (!reader) throw new TypeError('Spare memory can only be moved to an account of its own budget')
    try {
      return await this.#reserve(reader, bytes, signal, hold)
    } catch (error) {
      this.#releaseSpare(hold)
      throw error
    }
  }

  #releaseSpare(hold: SpareHold): void {
    this.#used -= this.#spares.remove(hold)
    this.#serve()
  }

  /** Serves all requests that can be served now. */
  #serve(): void {
    for (;;) {
      if (this.#used <= this.limit) this.#overdraft.clear()
      const waiter = this.#nextWaiter()
      if (!waiter) return
      const index = this.#waiters.indexOf(waiter)
      for (const overtaken of this.#waiters.slice(0, index)) overtaken.overtaken++
      this.#waiters.splice(index, 1)
      this.#grant(waiter)
    }
  }

  /** Returns the request to serve now, by the table above. */
  #nextWaiter(): Waiter | undefined {
    const moved = this.#waiters.find(
      ({ spare, reader }, at) =>
        this.#spares.has(spare) && !this.#waiters.slice(0, at).some((older) => older.reader === reader),
    )
    if (moved) return moved
    let isFirstWaiting = false
    let isAnyNeeded = false
    for (const waiter of this.#waiters) {
      if (!isNeeded(waiter.reader)) continue
      isAnyNeeded = true
      if (waiter.reader.tree.heldBytes > 0 || waiter.overtaken >= MAX_OVERTAKEN) {
        if (this.#makeRoom(waiter.bytes) || this.#mayOverdraw(waiter.reader)) return waiter
      } else {
        if (!isFirstWaiting && this.#makeRoom(waiter.bytes)) return waiter
        isFirstWaiting = true
      }
    }
    const [oldest] = this.#waiters
    return oldest && !isAnyNeeded && this.#fits(oldest.bytes) ? oldest : undefined
  }

  #fits(bytes: number): boolean {
    return this.#used + bytes <= this.limit || this.#used === 0
  }

  /** Gives up spare memory until so many bytes fit. Returns false if they do not fit even then. */
  #makeRoom(bytes: number): boolean {
    while (!this.#fits(bytes)) {
      const freed = this.#spares.giveUpOldest()
      if (freed === undefined) return false
      this.#used -= freed
    }
    return true
  }

  #mayOverdraw(reader: Reader): boolean {
    const line = lineOf(reader)
    return [...this.#overdraft].every((share) => line.includes(share.reader))
  }

  #grant({ reader, bytes, spare, granted }: Waiter): void {
    const share: Share = { reader, bytes: 0 }
    const { shares } = reader.tree
    if (spare) this.#used -= this.#spares.remove(spare)
    if (this.#used + bytes > this.limit) this.#overdraft.add(share)
    shares.add(share)
    this.#change(share, bytes)
    granted({
      resize: (resized) => {
        assertBytes(resized)
        if (!shares.has(share)) return
        const isSmaller = resized < share.bytes
        this.#change(share, resized)
        if (isSmaller) this.#serve()
      },
      [Symbol.dispose]: () => {
        if (shares.has(share)) this.#release(share)
      },
    })
  }

  #release(share: Share): void {
    this.#change(share, 0)
    share.reader.tree.shares.delete(share)
    this.#serve()
  }

  #change(share: Share, bytes: number): void {
    const added = bytes - share.bytes
    share.bytes = bytes
    if (bytes === 0) this.#overdraft.delete(share)
    share.reader.heldBytes += added
    share.reader.tree.heldBytes += added
    this.#use(added)
  }

  #use(added: number): void {
    this.#used += added
    if (this.#used > this.limit) this.#makeRoom(0)
    this.#peak = Math.max(this.#peak, this.#used)
  }

  #close(tree: Tree): void {
    tree.isClosed = true
    for (const waiter of this.#waiters.filter(({ reader }) => reader.tree === tree)) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      waiter.failed(new Error('This account of the memory budget was closed'))
    }
    for (const share of tree.shares) this.#release(share)
    this.#serve()
  }
}

function isNeeded(reader: Reader): boolean {
  return reader.heldBytes === 0 && lineOf(reader).every(({ isNext }) => isNext())
}

/** Returns a reader with all readers above it. */
function lineOf(reader: Reader): Reader[] {
  const line: Reader[] = []
  for (let one: Reader | undefined = reader; one; one = one.parent) line.push(one)
  return line
}

function assertBytes(bytes: number): void {
  if (!(bytes >= 0 && bytes < Infinity)) throw new RangeError(`Bytes must be a number of 0 or more, not ${bytes}`)
}
