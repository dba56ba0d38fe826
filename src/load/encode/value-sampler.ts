import type { Sample, Samples } from '../../model/field-values.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { isRecord } from '../values/value-kind.ts'

/** Records that are sampled of a page, and of a reading. */
const RECORDS_OF_A_PAGE = 8
const RECORDS_OF_A_READING = 2_000

const NOTHING: Samples = new Map()

/** Finds out which fields have values, and samples how many records do. One for each reading of a slice. */
export class ValueSampler {
  /** The totals of fields that had a value, as earlier pages have returned them. */
  readonly #reported = new Map<string, Sample>()
  readonly #totals = new Map<string, Sample>()
  #columns: readonly LoadedColumn[] = []
  #unseen: readonly number[] = []
  #left = RECORDS_OF_A_READING

  /**
   * Returns what a page adds to the samples of the reading. `seen` has a 1 for each column that had a value so far, by
   * the encoder: it notices each value.
   */
  take(records: readonly unknown[], columns: readonly LoadedColumn[], seen: Uint8Array): Samples {
    const isSampling = this.#left > 0
    if (isSampling) this.#sample(records, columns)
    else if (columns === this.#columns && !this.#unseen.some((index) => seen[index] === 1)) return NOTHING
    const added = new Map<string, Sample>()
    for (const [index, { field }] of columns.entries()) {
      if (seen[index] === 0 && !this.#reported.has(field)) continue
      const [values, sampled] = this.#totals.get(field) ?? [0, 0]
      const before = this.#reported.get(field)
      // The sample may have missed the first value.
      const total: Sample = before ? [values, sampled] : [Math.max(values, 1), Math.max(sampled, 1)]
      if (before && before[1] === sampled) continue
      added.set(field, [total[0] - (before?.[0] ?? 0), total[1] - (before?.[1] ?? 0)])
      this.#totals.set(field, total)
      this.#reported.set(field, total)
    }
    if (!isSampling) this.#watch(columns)
    return added
  }

  /** Once the sample is full, only columns that have had no value are looked at. */
  #watch(columns: readonly LoadedColumn[]): void {
    this.#columns = columns
    this.#unseen = columns.flatMap(({ field }, index) => (this.#reported.has(field) ? [] : [index]))
  }

  #sample(records: readonly unknown[], columns: readonly LoadedColumn[]): void {
    const step = Math.max(1, Math.ceil(records.length / RECORDS_OF_A_PAGE))
    for (let index = 0; index < records.length && this.#left > 0; index += step) {
      const record = records[index]
      if (!isRecord(record)) continue
      this.#left -= 1
      for (const column of columns) {
        const [values, sampled] = this.#totals.get(column.field) ?? [0, 0]
        this.#totals.set(column.field, [values + (hasValue(record, column) ? 1 : 0), sampled + 1])
      }
    }
  }
}

function hasValue(record: Readonly<Record<string, unknown>>, { field, emptyIsNull = false }: LoadedColumn): boolean {
  const value = field in Object.prototype && !Object.hasOwn(record, field) ? null : record[field]
  return value !== null && value !== undefined && !(emptyIsNull && value === '')
}
