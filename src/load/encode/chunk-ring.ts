/** A block of memory for encoded pages. */
export interface Chunk {
  readonly buffer: Buffer
  used: number
  /** The number of encoded pages that have rows in it. */
  pages: number
}

/** A part of one chunk. */
export interface Segment {
  readonly chunk: Chunk
  readonly from: number
  to: number
}

/**
 * Reuses the memory of encoded rows after their pages are disposed, instead of allocating a buffer for each page. Two
 * batches are in progress at most, so a few chunks of 1 MiB are enough. A page that is never disposed costs only its
 * chunk.
 */
export class ChunkRing {
  readonly #bytes: number
  readonly #keep: number
  readonly #free: Chunk[] = []
  #current: Chunk | undefined

  /** `bytes` is the size of a chunk, `keep` the number of free chunks that are kept. */
  constructor({ bytes = 1 << 20, keep = 24 }: { bytes?: number; keep?: number } = {}) {
    this.#bytes = bytes
    this.#keep = keep
  }

  /** Returns a chunk with room for the given number of bytes: the current one or the next. */
  room(bytes: number): Chunk {
    const current = this.#current
    if (current && current.used + bytes <= current.buffer.length) return current
    if (bytes > this.#bytes) return { buffer: Buffer.allocUnsafeSlow(bytes), used: 0, pages: 0 }
    this.#current = this.#free.pop() ?? { buffer: Buffer.allocUnsafeSlow(this.#bytes), used: 0, pages: 0 }
    return this.#current
  }

  /** Keeps the chunks of these segments until `release` is called for them. */
  hold(segments: readonly Segment[]): void {
    for (const { chunk } of segments) chunk.pages += 1
  }

  /** Makes chunks without pages free for the next ones. */
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
