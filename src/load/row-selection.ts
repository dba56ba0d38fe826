import type { EncodedRows, RowShape } from './encode/encoded-page.ts'
import { versionOrder } from './encode/version-order.ts'

/** Consecutive rows of one page. */
export interface RowRange {
  readonly page: EncodedRows
  readonly from: number
  readonly to: number
}

/** The rows of a batch that are written, in the order in which they were read. */
export interface RowSelection {
  readonly ranges: readonly RowRange[]
  readonly rows: number
}

/** Which of several rows with one key is written: the newest (the last read of equal versions), the first, or all. */
export type KeepRule = 'newest' | 'first' | 'all'

export interface Selected extends RowSelection {
  readonly duplicates: number
  /** Rows that are left out although they differ from another one of their key and page, and no version says why. */
  readonly lost: { readonly rows: number; readonly key: string | undefined }
}

/** Selects the rows of some pages, without rows that another row of the same key replaces. */
export function selectRows(pages: readonly EncodedRows[], keep: KeepRule): Selected {
  const lost: { rows: number; key: string | undefined } = { rows: 0, key: undefined }
  const onDouble = (page: EncodedRows, one: number, other: number): void => {
    if (page.rowShape.version || page.hasEqualRows(one, other)) return
    lost.rows++
    lost.key ??= page.keys[one]
  }
  const dropped = keep === 'all' ? [] : duplicatesOf(pages, keep, onDouble)
  const ranges: RowRange[] = []
  let rows = 0
  let duplicates = 0
  pages.forEach((page, index) => {
    let from = 0
    for (const row of (dropped[index] ?? []).toSorted((a, b) => a - b)) {
      if (from < row) ranges.push({ page, from, to: row })
      from = row + 1
      duplicates += 1
    }
    if (from < page.rows) ranges.push({ page, from, to: page.rows })
    rows += page.rows
  })
  return { ranges, rows: rows - duplicates, duplicates, lost }
}

/** Returns for each page the indexes of the rows that are not written. `onDouble`: two rows of a page have one key. */
function duplicatesOf(
  pages: readonly EncodedRows[],
  keep: 'newest' | 'first',
  onDouble: (page: EncodedRows, one: number, other: number) => void,
): number[][] {
  const dropped: number[][] = pages.map(() => [])
  // The index of each key's row, counted over all pages: an object for each key would burden the garbage collector.
  const kept = new Map<string, number>()
  let start = 0
  pages.forEach((page, pageIndex) => {
    page.keys.forEach((key, row) => {
      const before = kept.get(key)
      if (before === undefined) {
        kept.set(key, start + row)
        return
      }
      const earlier = locationOf(before, pages)
      if (earlier.pageIndex === pageIndex) onDouble(page, earlier.row, row)
      if (keep === 'first' || isOlder({ page, pageIndex, row }, earlier)) dropped[pageIndex]?.push(row)
      else {
        dropped[earlier.pageIndex]?.push(earlier.row)
        kept.set(key, start + row)
      }
    })
    start += page.keys.length
  })
  return dropped
}

interface RowLocation {
  readonly page: EncodedRows
  readonly pageIndex: number
  readonly row: number
}

function locationOf(rowIndex: number, pages: readonly EncodedRows[]): RowLocation {
  let row = rowIndex
  for (const [pageIndex, page] of pages.entries()) {
    if (row < page.keys.length) return { page, pageIndex, row }
    row -= page.keys.length
  }
  throw new RangeError(`Row ${rowIndex} is beyond the last page`)
}

function isOlder(one: RowLocation, other: RowLocation): boolean {
  const { version } = one.page.rowShape
  const [a, b] = [one.page.versions[one.row], other.page.versions[other.row]]
  if (!version || a === undefined || b === undefined) return false
  return versionOrder(version.type, version.name)(a, b) < 0
}

/** Yields the bytes of a selection, for COPY. */
export function* chunksOf({ ranges }: RowSelection): Generator<Uint8Array> {
  for (const { page, from, to } of ranges) yield* page.slices(from, to)
}

/** Splits a selection of at least two rows into halves, in order. */
export function halves({ ranges, rows }: RowSelection): readonly [RowSelection, RowSelection] {
  const first: RowRange[] = []
  const second: RowRange[] = []
  let wanted = rows >> 1
  for (const { page, from, to } of ranges) {
    const middle = Math.min(to, from + wanted)
    if (from < middle) first.push({ page, from, to: middle })
    if (middle < to) second.push({ page, from: middle, to })
    wanted -= middle - from
  }
  return [
    { ranges: first, rows: rows >> 1 },
    { ranges: second, rows: rows - (rows >> 1) },
  ]
}

/** Splits a selection into parts of one shape each, in order: a COPY has one list of columns. */
export function splitByShape({ ranges }: RowSelection): { readonly rows: RowSelection; readonly shape: RowShape }[] {
  const parts: { rows: { ranges: RowRange[]; rows: number }; shape: RowShape }[] = []
  for (const range of ranges) {
    const last = parts.at(-1)
    const rows = range.to - range.from
    if (last && last.shape.hash === range.page.rowShape.hash) {
      last.rows.ranges.push(range)
      last.rows.rows += rows
    } else parts.push({ rows: { ranges: [range], rows }, shape: range.page.rowShape })
  }
  return parts
}
