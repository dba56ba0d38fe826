export type Chunks = AsyncGenerator<Buffer, void, undefined>

export interface Taken {
  readonly bytes: Buffer
  readonly isEnd: boolean
}

/** Takes bytes of chunks in pieces of any size. */
export class ByteReader {
  readonly #chunks: Chunks
  #rest: Buffer | undefined

  constructor(chunks: Chunks) {
    this.#chunks = chunks
  }

  /** Takes so many bytes, less only at the end. `onBytes` learns how many there are so far. */
  async take(most: number, onBytes?: (bytes: number) => void): Promise<Taken> {
    const taken: Buffer[] = []
    let length = 0
    while (length < most) {
      const chunk = this.#rest ?? (await this.#chunks.next()).value
      this.#rest = undefined
      if (!chunk) return { bytes: joined(taken, length), isEnd: true }
      const missing = most - length
      if (chunk.length > missing) this.#rest = chunk.subarray(missing)
      taken.push(chunk.length > missing ? chunk.subarray(0, missing) : chunk)
      length += Math.min(chunk.length, missing)
      onBytes?.(length)
    }
    return { bytes: joined(taken, length), isEnd: false }
  }
}

const joined = (chunks: readonly Buffer[], length: number): Buffer =>
  chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks, length)

/** Puts bytes before others. */
export async function* prepended(bytes: Buffer, chunks: Chunks): Chunks {
  if (bytes.length > 0) yield bytes
  yield* chunks
}
