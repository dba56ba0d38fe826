/** Sizes are rounded up to this, so that pages of similar size share buffers. */
const SIZE_STEP_BYTES = 65_536
/** Do not reuse a buffer more than this many times larger than the body. */
const MAX_SLACK = 4
/** Free buffers kept for reuse, in all. */
const MAX_KEPT_BYTES = 16 << 20

/**
 * Buffers that bodies are received into, reused after the body has been parsed. One or two buffers serve a whole run; a
 * new one for each page would be as much garbage, and a page fault for every 4 KB of it.
 */
export class BodyBuffers {
  readonly #acquired = new WeakSet<Buffer>()
  #free: Buffer[] = []
  #keptBytes = 0

  /** Returns a buffer of this size, with any content. */
  acquire(bytes: number): Buffer {
    const index = this.#free.findIndex(({ length }) => length >= bytes && length <= bytes * MAX_SLACK + SIZE_STEP_BYTES)
    const [reused] = index < 0 ? [] : this.#free.splice(index, 1)
    this.#keptBytes -= reused?.length ?? 0
    const memory = reused ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES)
    const body = memory.subarray(0, bytes)
    this.#acquired.add(body)
    return body
  }

  /**
   * Takes back a buffer that nothing refers to any more. Ignores one that was not acquired here. A buffer that is never
   * released is garbage like any other.
   */
  release(body: Buffer): void {
    if (!this.#acquired.delete(body)) return
    this.#free.push(Buffer.from(body.buffer))
    this.#keptBytes += body.buffer.byteLength
    // Drops the oldest first: a size that no longer occurs must not keep out one that does.
    while (this.#keptBytes > MAX_KEPT_BYTES) this.#keptBytes -= this.#free.shift()?.length ?? 0
  }
}
