import type { Page } from '../../model/page.ts'
import { instantMs, parseInstant } from '../../value/instant.ts'
import type { Fields } from '../shape/fields.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { TypeMismatch } from '../values/type-mismatch.ts'
import { isRecord } from '../values/value-kind.ts'
import { valueText } from '../values/value-text.ts'
import type { Partitions } from './partitions.ts'
import { periodOf, type Period } from './period.ts'

/** Finds records for which a table has no partition. */
export class PartitionCover {
  readonly #partitions: Partitions
  readonly #column: LoadedColumn | undefined
  /** The partition of the last record, because most records have the same. */
  #last: Period | undefined

  constructor(partitions: Partitions, fields: Fields) {
    this.#partitions = partitions
    this.#column = fields.loaded(partitions.by)
  }

  /**
   * Returns a time for each partition that the records of a page need, in milliseconds since 1970. A value that is no
   * time needs none: its record is rejected, or lies in the partition for all others.
   */
  missing({ records }: Pick<Page, 'records'>): readonly number[] {
    const column = this.#column
    if (!column) return []
    const missing: { readonly ms: number; readonly period: Period }[] = []
    for (const record of records) {
      if (!isRecord(record)) continue
      const ms = timeOf(record[column.field], column)
      if (ms === undefined || (this.#last && isIn(this.#last, ms))) continue
      this.#last = this.#covering(ms)
      if (!this.#last && !missing.some(({ period }) => isIn(period, ms)))
        missing.push({ ms, period: periodOf(ms, this.#partitions.every) })
    }
    return missing.map(({ ms }) => ms)
  }

  #covering(ms: number): Period | undefined {
    const { periods } = this.#partitions
    let [low, high] = [0, periods.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((periods[middle]?.to ?? 0) <= ms) low = middle + 1
      else high = middle
    }
    const found = periods[low]
    return found && isIn(found, ms) ? found : undefined
  }
}

const isIn = ({ from, to }: Period, ms: number): boolean => ms >= from && ms < to

/** Returns the time of a value as its column stores it; undefined if it stores none. */
function timeOf(value: unknown, column: LoadedColumn): number | undefined {
  if (value === null || value === undefined) return undefined
  try {
    const text = valueText(value, column.type, column)
    // PostgreSQL ignores the offset for a column without a zone.
    const instant = parseInstant(column.type.base === 'timestamptz' ? text : text.slice(0, 19))
    return instant && instantMs(instant)
  } catch (error) {
    if (error instanceof TypeMismatch) return undefined
    throw error
  }
}
