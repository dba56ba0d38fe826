/** Sizes are rounded up to this, so that pages of nearly one size share their memory. */
const SIZE_STEP_BYTES = 65_536
/** A body is not put where it would leave so many times its size unused. */
const MAX_SLACK = 4
/** Kept for later, of all bodies together. */
const MAX_KEPT_BYTES = 16 << 20

/**
 * Memory that bodies are received into, used again once they have been read. A body is parsed as soon as it is there,
 * so one or two pieces serve a whole run; a new one for every page would be as much garbage, and a page fault for every
 * 4 KB of it.
 */
export class BodyBuffers {
  readonly #lent = new WeakSet<Buffer>()
  #free: Buffer[] = []
  #kept = 0

  /** So many bytes, whatever they hold. */
  acquire(bytes: number): Buffer {
    const index = this.#free.findIndex(({ length }) => length >= bytes && length <= bytes * MAX_SLACK + SIZE_STEP_BYTES)
    const [found] = index < 0 ? [] : this.#free.splice(index, 1)
    this.#kept -= found?.length ?? 0
    const memory = found ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES)
    const body = memory.subarray(0, bytes)
    this.#lent.add(body)
    return body
  }

  /**
   * Nothing refers to this body any more. One that was not taken here is left alone; one that is never given back is
   * garbage like any other.
   */
  release(body: Buffer): void {
    if (!this.#lent.delete(body)) return
    this.#free.push(Buffer.from(body.buffer))
    this.#kept += body.buffer.byteLength
    // The oldest goes: sizes that no longer come would take the index of those that do.
    while (this.#kept > MAX_KEPT_BYTES) this.#kept -= this.#free.shift()!.length
  }
}
