import { defined } from '../../value/defined.ts'
import type { Page, Reject } from '../../model/page.ts'
import { displayValue, FieldMismatch, type MismatchDecision, type MismatchPolicy } from '../values/type-mismatch.ts'
import { isRecord } from '../values/value-kind.ts'
import type { ChunkRing, Segment } from './chunk-ring.ts'
import { escapeText } from './copy-text.ts'
import { EncodedRows, type RowShape } from './encoded-page.ts'
import { missingKeyText } from './missing-key.ts'
import type { ValueSampler } from './value-sampler.ts'
import { compileRowEncoder, type RowEncoder, type RowEncoderOptions, type RowFacts } from './row-encoder.ts'

/** The bytes of U+FFFD, which UTF-8 writes for half of a surrogate pair. */
const REPLACEMENT = Buffer.from('\ufffd')

/** Encodes pages of one shape into the memory of a ring. */
export class PageEncoder {
  readonly shape: RowShape
  readonly #ring: ChunkRing
  /**
   * Does not look for halves of surrogate pairs, which costs 0.3 µs a row with characters beyond Latin-1. The written
   * bytes show whether there may be one.
   */
  readonly #quick: RowEncoder
  readonly #careful: RowEncoder
  /** Has a 1 for each column that had a value since the encoder was made. */
  readonly #seen: Uint8Array
  readonly #sampler: ValueSampler | undefined
  readonly #key: readonly string[]
  readonly #keyed: boolean
  readonly #refuse: string | undefined

  /** `refuse` is the reason for which every record is rejected that has no reason of its own. */
  constructor(
    shape: RowShape,
    {
      undetermined,
      ring,
      sampler,
      refuse,
    }: {
      undetermined: RowEncoderOptions['undetermined']
      ring: ChunkRing
      sampler?: ValueSampler
      refuse?: string
    },
  ) {
    this.shape = shape
    this.#ring = ring
    this.#refuse = refuse
    this.#sampler = sampler
    this.#seen = new Uint8Array(shape.columns.length)
    this.#key = shape.columns.filter(({ key, constant }) => key && constant === undefined).map(({ field }) => field)
    this.#keyed = this.#key.length > 0
    const options = {
      columns: shape.columns,
      version: shape.version?.field,
      undetermined,
      constant: shape.constant?.text,
      hasMore: shape.lineage !== undefined,
      marksAbsent: shape.marksAbsent,
      lists: shape.lists,
      seen: this.#seen,
    }
    this.#quick = compileRowEncoder({ ...options, careful: false })
    this.#careful = compileRowEncoder({ ...options, careful: true })
  }

  /** Returns the page as rows, or 'change' if a value needs another shape of the table. */
  encode(page: Page, policy: MismatchPolicy): EncodedRows | 'change' {
    if (this.#refuse === undefined) {
      const lines = this.#write(page, policy, this.#quick)
      if (lines === 'change') return 'change'
      if (!lines.writer.hasReplacement()) return this.#rows(page, lines)
      lines.writer.undo()
    }
    const lines = this.#write(page, policy, this.#careful)
    return lines === 'change' ? 'change' : this.#rows(page, lines)
  }

  #write(page: Page, policy: MismatchPolicy, encodeRow: RowEncoder): Lines | 'change' {
    const { records } = page
    const rejects: Reject[] = []
    const starts = new Uint32Array(records.length + 1)
    const recordOf = new Uint32Array(records.length)
    const keys: string[] = []
    const versions: string[] = []
    const absents: string[] = []
    const refused: number[] = []
    const facts: RowFacts = { key: '', version: '', absent: '', more: this.#lineageText(page) }
    const writer = new SegmentWriter(this.#ring)
    const rowsBefore = page.tombstones ? new Uint32Array(records.length + 1) : undefined
    let rows = 0
    for (let index = 0; index < records.length; index += 1) {
      if (rowsBefore) rowsBefore[index] = rows
      const record = records[index]
      const line = this.#line(record, encodeRow, facts, policy)
      if (typeof line === 'string') {
        writer.write(line)
        recordOf[rows] = index
        rows += 1
        starts[rows] = writer.bytes
        if (this.#keyed) keys.push(facts.key)
        if (this.shape.version) versions.push(facts.version)
        if (this.shape.marksAbsent) absents.push(facts.absent)
      } else if (line.type === 'change') {
        writer.undo()
        return 'change'
      } else {
        refused.push(index)
        rejects.push({
          stage: page.rejectStage ?? 'encode',
          reason: line.reason,
          record: page.origins?.[index] ?? record,
          ...defined({ parents: page.parents }),
        })
      }
    }
    if (rowsBefore) rowsBefore[records.length] = rows
    return {
      writer,
      rejects,
      starts: starts.subarray(0, rows + 1),
      keys,
      versions,
      absents,
      rowsBefore,
      recordOf: recordOf.subarray(0, rows),
      refused,
    }
  }

  #lineageText({ url }: Page): string {
    const { lineage } = this.shape
    if (!lineage) return ''
    // A URL has no character that COPY would have to escape, unless a custom source has made it.
    return `\t${lineage.run ?? '\\N'}\t${url === undefined ? '\\N' : escapeText(url.toWellFormed())}`
  }

  #line(record: unknown, encodeRow: RowEncoder, facts: RowFacts, policy: MismatchPolicy): string | MismatchDecision {
    if (!isRecord(record))
      return reject(`a record has to be an object, this is ${displayValue(record)}. Make one of it with .map()`)
    try {
      const line = encodeRow(record, facts)
      return this.#refuse === undefined ? line : reject(this.#refuse)
    } catch (error) {
      if (error instanceof FieldMismatch) return policy(error, record)
      throw error
    }
  }

  #rows(page: Page, { writer, rejects, ...lines }: Lines): EncodedRows {
    return new EncodedRows(page, {
      ...lines,
      counts: { ...page.counts, rejected: page.counts.rejected + rejects.length },
      rejects: rejects.length === 0 ? page.rejects : [...page.rejects, ...rejects],
      shape: this.shape,
      ring: this.#ring,
      segments: writer.segments,
      missingKey: lines.starts.length > 1 ? undefined : missingKeyText(page.records, this.#key),
      samples: this.#sampler?.take(page.records, this.shape.columns, this.#seen),
    })
  }
}

const reject = (reason: string): MismatchDecision => ({ type: 'reject', reason })

/** The written lines of a page, and its records that were rejected. */
interface Lines {
  readonly writer: SegmentWriter
  readonly rejects: readonly Reject[]
  readonly starts: Uint32Array
  readonly keys: readonly string[]
  readonly versions: readonly string[]
  readonly absents: readonly string[]
  readonly rowsBefore: Uint32Array | undefined
  readonly recordOf: Uint32Array
  readonly refused: readonly number[]
}

/** Writes lines into chunks; a line lies in one chunk. */
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
    // A character takes at most three bytes. They are counted only near the end of a chunk.
    if (segment === undefined || segment.to + line.length * 3 > segment.chunk.buffer.length) segment = this.#next(line)
    const written = segment.chunk.buffer.write(line, segment.to)
    segment.to += written
    segment.chunk.used = segment.to
    this.bytes += written
  }

  /** Returns true if U+FFFD was written: the API sent it, or it stands for half of a surrogate pair. */
  hasReplacement(): boolean {
    return this.segments.some(({ chunk, from, to }) => chunk.buffer.subarray(from, to).includes(REPLACEMENT))
  }

  /** Gives back the memory of a page that is not encoded after all. */
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
