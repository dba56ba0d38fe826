/** A piece of memory that pages are encoded into, one after another. */
export interface Chunk {
  readonly buffer: Buffer
  used: number
  /** Encoded pages that have rows in it. */
  pages: number
}

/** A part of one chunk. */
export interface Segment {
  readonly chunk: Chunk
  readonly from: number
  to: number
}

/**
 * Memory for encoded rows, used again once the pages in it are disposed. Two batches are under way at most, so a few
 * chunks of a megabyte go round, instead of a new buffer a page. A page that nobody disposes only takes its chunk out
 * of the ring.
 */
export class ChunkRing {
  readonly #bytes: number
  readonly #keep: number
  readonly #free: Chunk[] = []
  #current: Chunk | undefined

  constructor({ bytes = 1 << 20, keep = 24 }: { bytes?: number; keep?: number } = {}) {
    this.#bytes = bytes
    this.#keep = keep
  }

  /** A chunk with room for so many bytes: the one in use, or the next. */
  room(bytes: number): Chunk {
    const current = this.#current
    if (current && current.used + bytes <= current.buffer.length) return current
    if (bytes > this.#bytes) return { buffer: Buffer.allocUnsafeSlow(bytes), used: 0, pages: 0 }
    this.#current = this.#free.pop() ?? { buffer: Buffer.allocUnsafeSlow(this.#bytes), used: 0, pages: 0 }
    return this.#current
  }

  /** A page has been encoded into these segments. */
  hold(segments: readonly Segment[]): void {
    for (const { chunk } of segments) chunk.pages += 1
  }

  /** That page is not needed any more. */
  release(segments: readonly Segment[]): void {
    for (const { chunk } of segments) {
      chunk.pages -= 1
      if (chunk.pages > 0) continue
      chunk.used = 0
      if (chunk !== this.#current && chunk.buffer.length === this.#bytes && this.#free.length < this.#keep)
        this.#free.push(chunk)
    }
  }
}
