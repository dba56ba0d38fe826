import type { Completeness } from '../../model/completeness.ts'
import type { HighWaterMark, Page, ParentCursor, Position, ReadCounts, Reject } from '../../model/page.ts'
import type { Samples } from '../../model/field-values.ts'
import type { EncodedTombstone } from '../deleted/encode-tombstones.ts'
import type { PresentKeys } from '../mirror/present-keys.ts'
import type { ChunkRing, Segment } from './chunk-ring.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'

/** The columns of a page's rows. Pages of one shape fit one COPY. */
export interface RowShape {
  /** A hash of the columns' names and types. */
  readonly hash: string
  readonly columns: readonly LoadedColumn[]
  /** The column whose value decides which of two rows is newer. */
  readonly version: LoadedColumn | undefined
  /** A last column with the same value in every row. */
  readonly constant: { readonly name: string; readonly text: string } | undefined
  /** Columns behind that say where the row comes from: the run, and the URL of its page. @default none */
  readonly lineage?: { readonly run: string | undefined } | undefined
  /** A last column says which fields the record of a row does not have. @default false */
  readonly marksAbsent?: boolean
  /** Fields of nested lists: the last column marks them behind the columns. @default none */
  readonly lists?: readonly string[]
}

/**
 * The rows of a page as COPY text. They are kept until the outcome of their batch is known, so that they can be sent
 * again or bisected without running the stages again. Dispose the page then: its memory is reused.
 */
export interface EncodedPage extends Disposable {
  readonly rows: number
  readonly bytes: number
  readonly position?: Position
  /** Called when the page is stored, which is done at once. */
  readonly onStored?: () => void
  /** The counts of the page, with the records that the encoder rejected. */
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  readonly completeness?: Completeness
  readonly boundaryMatches?: readonly string[]
  readonly parentCursors?: readonly ParentCursor[]
  readonly settles?: readonly string[]
  /** A sentence about the field of the key that no record of the page has. */
  readonly missingKey?: string | undefined
  /** For a mirror: records were rejected, and nothing says which rows are theirs. */
  readonly hasUnknownRecords?: boolean
  /** What the page adds to the samples of its reading. */
  readonly samples?: Samples | undefined
  /** A hash of the columns' names and types. */
  readonly shape: string
}

/** The rows of one nested list of a page. */
export interface NestedRows {
  readonly rows: EncodedRows
  /** For each row of the page the number of its first nested row, and the number of all nested rows. */
  readonly starts: Uint32Array
  /** Nested rows that another one of their key and list replaces. */
  readonly dropped: ReadonlySet<number>
}

/** An encoded page with the members that only the table writer needs. */
export class EncodedRows implements EncodedPage {
  readonly rows: number
  bytes: number
  readonly position?: Position
  readonly onStored?: () => void
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  readonly completeness?: Completeness
  readonly boundaryMatches?: readonly string[]
  readonly parentCursors?: readonly ParentCursor[]
  readonly settles?: readonly string[]
  readonly missingKey: string | undefined
  readonly samples: Samples | undefined
  readonly rowShape: RowShape
  /** The key of each row as COPY text; empty without a key. */
  readonly keys: readonly string[]
  /** The version of each row as COPY text; empty without one. */
  readonly versions: readonly string[]
  /** The fields that the record of each row does not have, a digit for each column; empty if they are not marked. */
  readonly absents: readonly string[]
  /** How many rows come before each record of the page, and before its end. Only for pages with tombstones. */
  readonly rowsBefore: Uint32Array | undefined
  /** The keys of rows that go, in the order in which they were read. */
  tombstones: readonly EncodedTombstone[] = []
  /** The number of the record of each row. */
  readonly recordOf: Uint32Array
  /** The numbers of the records that the encoder rejected. */
  readonly refused: readonly number[]
  /** For a mirror: the keys of rejected records, whose rows stay. */
  present: PresentKeys | undefined
  /** For a mirror: the parents whose lists end with the page and were read whole. */
  wholeLists: PresentKeys | undefined
  /** The rows of nested lists, table by table; undefined where the page has none. */
  nested: readonly (NestedRows | undefined)[] = []
  readonly #ring: ChunkRing
  readonly #segments: readonly Segment[]
  /** The offset of each row over all segments, and the offset of the page's end. */
  readonly #starts: Uint32Array
  #disposed = false

  constructor(
    page: Page,
    {
      counts,
      rejects,
      shape,
      samples,
      missingKey,
      keys,
      versions,
      absents = [],
      rowsBefore,
      recordOf,
      refused = [],
      ring,
      segments,
      starts,
    }: EncodedParts,
  ) {
    this.rows = starts.length - 1
    this.bytes = starts.at(-1) ?? 0
    if (page.position !== undefined) this.position = page.position
    if (page.onStored) this.onStored = page.onStored
    if (page.highWaterMark !== undefined) this.highWaterMark = page.highWaterMark
    if (page.completeness !== undefined) this.completeness = page.completeness
    if (page.boundaryMatches !== undefined) this.boundaryMatches = page.boundaryMatches
    if (page.parentCursors !== undefined) this.parentCursors = page.parentCursors
    if (page.settles !== undefined) this.settles = page.settles
    this.counts = counts
    this.rejects = rejects
    this.missingKey = missingKey
    this.samples = samples
    this.rowShape = shape
    this.keys = keys
    this.versions = versions
    this.absents = absents
    this.rowsBefore = rowsBefore
    this.recordOf = recordOf
    this.refused = refused
    this.#ring = ring
    this.#segments = segments
    this.#starts = starts
    ring.hold(segments)
  }

  /** Adds the rows of nested lists, which are disposed together with these. */
  attach(nested: readonly (NestedRows | undefined)[]): void {
    this.nested = nested
    for (const one of nested) this.bytes += one?.rows.bytes ?? 0
  }

  get hasUnknownRecords(): boolean {
    return this.present?.isWhole === false
  }

  get shape(): string {
    return this.rowShape.hash
  }

  /** Yields the bytes of consecutive rows. */
  *slices(fromRow: number, toRow: number): Generator<Buffer> {
    if (this.#disposed)
      throw new Error('An encoded page was used after it was disposed: keep it until the outcome of its batch is known')
    const [from = 0, to = 0] = [this.#starts[fromRow], this.#starts[toRow]]
    let passed = 0
    for (const segment of this.#segments) {
      const length = segment.to - segment.from
      const [first, last] = [Math.max(from - passed, 0), Math.min(to - passed, length)]
      if (first < last) yield segment.chunk.buffer.subarray(segment.from + first, segment.from + last)
      passed += length
    }
  }

  hasEqualRows(one: number, other: number): boolean {
    const bytesOf = (row: number): Buffer => Buffer.concat([...this.slices(row, row + 1)])
    return bytesOf(one).equals(bytesOf(other))
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const one of this.nested) one?.rows[Symbol.dispose]()
    this.#ring.release(this.#segments)
  }
}

export interface EncodedParts {
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly shape: RowShape
  readonly keys: readonly string[]
  readonly versions: readonly string[]
  readonly absents?: readonly string[]
  readonly rowsBefore?: Uint32Array | undefined
  readonly recordOf: Uint32Array
  readonly refused?: readonly number[]
  readonly ring: ChunkRing
  readonly segments: readonly Segment[]
  readonly starts: Uint32Array
  readonly samples?: Samples | undefined
  readonly missingKey?: string | undefined
}
