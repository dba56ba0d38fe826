import type { Page, Reject } from '../../model/page.ts'
import type { ChunkRing, Segment } from './chunk-ring.ts'
import { EncodedRows, type RowShape } from './encoded-page.ts'
import { displayValue } from '../values/type-mismatch.ts'
import { isRecord } from '../record.ts'
import { compileRowEncoder, FieldMismatch, type RowEncoder } from './row-encoder.ts'

/**
 * What is done about a value that does not fit: the record is rejected for a reason, or the table has to change first.
 */
export type MismatchDecision = { readonly type: 'reject'; readonly reason: string } | { readonly type: 'change' }
export type MismatchPolicy = (mismatch: FieldMismatch, record: Readonly<Record<string, unknown>>) => MismatchDecision

/** What half of a surrogate pair becomes in UTF-8. */
const replacement = Buffer.from('\ufffd')

const reject = (reason: string): MismatchDecision => ({ type: 'reject', reason })

/** Encodes pages of one shape into the memory of a ring. */
export class PageEncoder {
  readonly shape: RowShape
  readonly #ring: ChunkRing
  /**
   * Does not look for halves of surrogate pairs, which costs 0.3 µs a row with characters beyond Latin-1: what was
   * written shows whether there may be one.
   */
  readonly #quick: RowEncoder
  readonly #careful: RowEncoder
  readonly #keyed: boolean
  readonly #refuse: string | undefined

  /** With `refuse` every record is rejected, for that reason where it has none of its own. */
  constructor(
    shape: RowShape,
    { undetermined, ring, refuse }: { undetermined: readonly string[]; ring: ChunkRing; refuse?: string },
  ) {
    this.shape = shape
    this.#ring = ring
    this.#refuse = refuse
    this.#keyed = shape.columns.some(({ key }) => key)
    const options = {
      columns: shape.columns,
      version: shape.version?.field,
      undetermined,
      constant: shape.constant?.text,
    }
    this.#quick = compileRowEncoder({ ...options, careful: false })
    this.#careful = compileRowEncoder({ ...options, careful: true })
  }

  /** The page as rows, or 'change' where one of its values asks for another shape of the table. */
  encode(page: Page, judge: MismatchPolicy): EncodedRows | 'change' {
    const quickly = this.#refuse === undefined ? this.#encode(page, judge, this.#quick) : undefined
    return quickly ?? this.#encode(page, judge, this.#careful)!
  }

  /** Undefined where the quick encoder may have written half of a surrogate pair as U+FFFD. */
  #encode(page: Page, judge: MismatchPolicy, row: RowEncoder): EncodedRows | 'change' | undefined {
    const { records } = page
    const rejects: Reject[] = []
    const starts = new Uint32Array(records.length + 1)
    const keys: string[] = []
    const versions: string[] = []
    const facts = { key: '', version: '' }
    const writer = new SegmentWriter(this.#ring)
    let rows = 0
    for (let index = 0; index < records.length; index += 1) {
      const record = records[index]
      const line = this.#line(record, row, facts, judge)
      if (typeof line === 'string') {
        writer.write(line)
        rows += 1
        starts[rows] = writer.bytes
        if (this.#keyed) keys.push(facts.key)
        if (this.shape.version) versions.push(facts.version)
      } else if (line.type === 'change') {
        writer.undo()
        return 'change'
      } else
        rejects.push({
          stage: page.areRows ? 'database' : 'encode',
          reason: line.reason,
          record: page.origins?.[index] ?? record,
          ...(page.parents && { parents: page.parents }),
        })
    }
    if (row === this.#quick && writer.hasReplacement()) {
      writer.undo()
      return undefined
    }
    return new EncodedRows(page, {
      counts: { ...page.counts, rejected: page.counts.rejected + rejects.length },
      rejects: rejects.length === 0 ? page.rejects : [...page.rejects, ...rejects],
      shape: this.shape,
      keys,
      versions,
      ring: this.#ring,
      segments: writer.segments,
      starts: starts.subarray(0, rows + 1),
    })
  }

  #line(
    record: unknown,
    row: RowEncoder,
    facts: { key: string; version: string },
    judge: MismatchPolicy,
  ): string | MismatchDecision {
    if (!isRecord(record)) return reject(`a record has to be an object, this is ${displayValue(record)}`)
    try {
      const line = row(record, facts)
      return this.#refuse === undefined ? line : reject(this.#refuse)
    } catch (error) {
      if (error instanceof FieldMismatch) return judge(error, record)
      throw error
    }
  }
}

/** Writes lines into chunks; a line is never divided. */
class SegmentWriter {
  readonly segments: Segment[] = []
  bytes = 0
  readonly #ring: ChunkRing
  #segment: Segment | undefined

  constructor(ring: ChunkRing) {
    this.#ring = ring
  }

  write(line: string): void {
    let segment = this.#segment
    // A character of a string becomes three bytes at most; only near the end of a chunk it is worth counting them.
    if (segment === undefined || segment.to + line.length * 3 > segment.chunk.buffer.length) segment = this.#next(line)
    const written = segment.chunk.buffer.write(line, segment.to)
    segment.to += written
    segment.chunk.used = segment.to
    this.bytes += written
  }

  /** Whether U+FFFD was written, be it sent as such or put in place of something. */
  hasReplacement(): boolean {
    return this.segments.some(({ chunk, from, to }) => chunk.buffer.subarray(from, to).includes(replacement))
  }

  /** The page is not encoded after all. */
  undo(): void {
    for (const { chunk, from } of this.segments) chunk.used = from
  }

  #next(line: string): Segment {
    const chunk = this.#ring.room(Buffer.byteLength(line))
    if (this.#segment?.chunk === chunk) return this.#segment
    this.#segment = { chunk, from: chunk.used, to: chunk.used }
    this.segments.push(this.#segment)
    return this.#segment
  }
}
