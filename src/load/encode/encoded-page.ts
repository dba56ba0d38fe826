import type { HighWaterMark, Page, Position, ReadCounts, Reject } from '../../model/page.ts'
import type { ChunkRing, Segment } from './chunk-ring.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'

/** What the rows of a page are made of; pages of one shape fit one COPY. */
export interface RowShape {
  /** Names and types of the columns. */
  readonly hash: string
  readonly columns: readonly LoadedColumn[]
  /** The column that says which of two rows is newer. */
  readonly version: LoadedColumn | undefined
  /** A column at the end, the same for every row. */
  readonly constant: { readonly name: string; readonly text: string } | undefined
}

/**
 * A page on its way to the table: its rows as COPY text, kept until the outcome of their batch is known, so that they
 * can be sent again, or halved, without asking the stages once more. Dispose it then: its memory is used for another
 * page.
 */
export interface EncodedPage extends Disposable {
  readonly rows: number
  readonly bytes: number
  readonly position?: Position
  /** Those of the page, with what the encoder rejected. */
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  readonly boundaryMatches?: readonly string[]
  /** The hash of its columns, names and types. */
  readonly shape: string
}

/** An encoded page from inside. */
export class EncodedRows implements EncodedPage {
  readonly rows: number
  readonly bytes: number
  readonly position?: Position
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  readonly boundaryMatches?: readonly string[]
  readonly rowShape: RowShape
  /** The key of each row as COPY text; empty without a key. */
  readonly keys: readonly string[]
  /** The version of each row as COPY text; empty without one. */
  readonly versions: readonly string[]
  readonly #ring: ChunkRing
  readonly #segments: readonly Segment[]
  /** Where each row begins, counted over all segments; the last one is where the page ends. */
  readonly #starts: Uint32Array
  #disposed = false

  constructor(page: Page, { counts, rejects, shape, keys, versions, ring, segments, starts }: EncodedParts) {
    this.rows = starts.length - 1
    this.bytes = starts.at(-1)!
    if (page.position !== undefined) this.position = page.position
    if (page.highWaterMark !== undefined) this.highWaterMark = page.highWaterMark
    if (page.boundaryMatches !== undefined) this.boundaryMatches = page.boundaryMatches
    this.counts = counts
    this.rejects = rejects
    this.rowShape = shape
    this.keys = keys
    this.versions = versions
    this.#ring = ring
    this.#segments = segments
    this.#starts = starts
    ring.hold(segments)
  }

  get shape(): string {
    return this.rowShape.hash
  }

  /** The bytes of some rows that follow each other. */
  *slices(fromRow: number, toRow: number): Generator<Buffer> {
    if (this.#disposed)
      throw new Error(
        'An encoded page was used after it had been disposed: keep it until the outcome of its batch is known',
      )
    const [from, to] = [this.#starts[fromRow]!, this.#starts[toRow]!]
    let passed = 0
    for (const segment of this.#segments) {
      const length = segment.to - segment.from
      const [first, last] = [Math.max(from - passed, 0), Math.min(to - passed, length)]
      if (first < last) yield segment.chunk.buffer.subarray(segment.from + first, segment.from + last)
      passed += length
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#ring.release(this.#segments)
  }
}

export interface EncodedParts {
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly shape: RowShape
  readonly keys: readonly string[]
  readonly versions: readonly string[]
  readonly ring: ChunkRing
  readonly segments: readonly Segment[]
  readonly starts: Uint32Array
}
