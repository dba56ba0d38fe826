/** The spare shares of a memory budget, the oldest first. */
export class SpareShares {
  readonly #shares = new Map<object, { readonly bytes: number; readonly onGivenUp: () => void }>()
  #bytes = 0

  /** Their sum. */
  get bytes(): number {
    return this.#bytes
  }

  has(hold: object | undefined): boolean {
    return hold !== undefined && this.#shares.has(hold)
  }

  add(hold: object, bytes: number, onGivenUp: () => void): void {
    this.#shares.set(hold, { bytes, onGivenUp })
    this.#bytes += bytes
  }

  /** Returns the bytes of the share, 0 if it was removed before. */
  remove(hold: object): number {
    const bytes = this.#shares.get(hold)?.bytes ?? 0
    this.#shares.delete(hold)
    this.#bytes -= bytes
    return bytes
  }

  /** Removes the oldest share. Returns its bytes, undefined if there is none. Its holder is called a moment later. */
  giveUpOldest(): number | undefined {
    const [oldest] = this.#shares
    if (!oldest) return undefined
    const [hold, { onGivenUp }] = oldest
    // It may release other shares, and the budget is in the middle of serving its waiters.
    queueMicrotask(onGivenUp)
    return this.remove(hold)
  }
}
