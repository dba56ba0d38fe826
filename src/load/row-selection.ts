import { tombstonesOf } from './deleted/bury-rows.ts'
import type { EncodedTombstone } from './deleted/encode-tombstones.ts'
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
  /** From 1 on if rows with the same keys are stored before these, in the same transaction. @default 0 */
  readonly round?: number
}

/**
 * Which of several rows with one key is written: the newest (the last read of equal versions), the first, or all.
 * `'each'` writes one after the other, in the order in which they were read, because a later one leaves something of an
 * earlier one in the table. Left out are those that are older than one before them, and those that leave nothing.
 */
export type KeepRule = 'newest' | 'first' | 'each' | 'all'

export interface Selected extends RowSelection {
  /** Rows to delete before these are written. */
  readonly tombstones: readonly EncodedTombstone[]
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
  const tombstones = tombstonesOf(pages, dropped, keep)
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
  return { ranges, rows: rows - duplicates, duplicates, lost, tombstones }
}

/** Returns for each page the indexes of the rows that are not written. `onDouble`: two rows of a page have one key. */
function duplicatesOf(
  pages: readonly EncodedRows[],
  keep: 'newest' | 'first' | 'each',
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
      const later = { page, pageIndex, row }
      const isLost = keep === 'first' || isOlder(later, earlier)
      if (!isLost && keep === 'each' && leavesSomething(earlier, later)) {
        kept.set(key, start + row)
        return
      }
      if (earlier.pageIndex === pageIndex) onDouble(page, earlier.row, row)
      if (isLost) dropped[pageIndex]?.push(row)
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

/** Returns true if a row that is written before another one of its key leaves something in the table. */
function leavesSomething(earlier: RowLocation, later: RowLocation): boolean {
  const { rowShape } = later.page
  if (earlier.page.rowShape.hash !== rowShape.hash) return true
  // The first row sets these columns.
  if (rowShape.columns.some(({ isInsertOnly }) => isInsertOnly)) return !hasEqualRows(earlier, later)
  const [before = '', after = ''] = [earlier.page.absents[earlier.row], later.page.absents[later.row]]
  for (let index = 0; index < after.length; index += 1) if (after[index] === '1' && before[index] !== '1') return true
  return false
}

function hasEqualRows(one: RowLocation, other: RowLocation): boolean {
  const [bytes, others] = [one, other].map(({ page, row }) => Buffer.concat([...page.slices(row, row + 1)]))
  return bytes !== undefined && others?.equals(bytes) === true
}

/**
 * Splits a selection into rounds that are written one after the other: in each, every key occurs once. Rows of one key
 * keep their order.
 */
export function roundsOf(selection: RowSelection): readonly RowSelection[] {
  const times = new Map<string, number>()
  const rounds: { ranges: RowRange[]; rows: number; round: number }[] = []
  for (const { page, from, to } of selection.ranges)
    for (let row = from; row < to; row += 1) {
      const key = page.keys[row] ?? ''
      const round = times.get(key) ?? 0
      times.set(key, round + 1)
      const target = (rounds[round] ??= { ranges: [], rows: 0, round })
      const last = target.ranges.at(-1)
      if (last?.page === page && last.to === row)
        target.ranges[target.ranges.length - 1] = { page, from: last.from, to: row + 1 }
      else target.ranges.push({ page, from: row, to: row + 1 })
      target.rows += 1
    }
  return rounds
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
export function splitByShape({
  ranges,
  round = 0,
}: RowSelection): { readonly rows: RowSelection; readonly shape: RowShape }[] {
  const parts: { rows: { ranges: RowRange[]; rows: number; round: number }; shape: RowShape }[] = []
  for (const range of ranges) {
    const last = parts.at(-1)
    const rows = range.to - range.from
    if (last && last.shape.hash === range.page.rowShape.hash) {
      last.rows.ranges.push(range)
      last.rows.rows += rows
    } else parts.push({ rows: { ranges: [range], rows, round }, shape: range.page.rowShape })
  }
  return parts
}
