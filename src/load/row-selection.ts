import type { EncodedRows } from './encode/encoded-page.ts'
import { versionOrder } from './encode/version-order.ts'

/** Rows of one page that follow each other. */
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

/** Which of several rows of one key is written: the newest, and among equals the one read last; or simply the first. */
export type Keep = 'newest' | 'first' | 'all'

/** The rows of some pages, without those that another row of the same key makes superfluous. */
export function selectRows(pages: readonly EncodedRows[], keep: Keep): RowSelection & { readonly duplicates: number } {
  const dropped = keep === 'all' ? [] : duplicatesOf(pages, keep)
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
  return { ranges, rows: rows - duplicates, duplicates }
}

/** For each page the rows that are left out. */
function duplicatesOf(pages: readonly EncodedRows[], keep: 'newest' | 'first'): number[][] {
  const dropped: number[][] = pages.map(() => [])
  // The place of each key's row as one number, counted over all pages: an object for each would only be work for the
  // collector.
  const kept = new Map<string, number>()
  let first = 0
  pages.forEach(({ keys }, page) => {
    for (let row = 0; row < keys.length; row += 1) {
      const key = keys[row]!
      const before = kept.get(key)
      if (before === undefined) {
        kept.set(key, first + row)
        continue
      }
      const earlier = locationOf(before, pages)
      if (keep === 'first' || isOlder(pages, { page, row }, earlier)) dropped[page]!.push(row)
      else {
        dropped[earlier.page]!.push(earlier.row)
        kept.set(key, first + row)
      }
    }
    first += keys.length
  })
  return dropped
}

interface RowLocation {
  readonly page: number
  readonly row: number
}

function locationOf(number: number, pages: readonly EncodedRows[]): RowLocation {
  let row = number
  let page = 0
  for (; row >= pages[page]!.keys.length; page += 1) row -= pages[page]!.keys.length
  return { page, row }
}

function isOlder(pages: readonly EncodedRows[], one: RowLocation, other: RowLocation): boolean {
  const [page, otherPage] = [pages[one.page]!, pages[other.page]!]
  const { version } = page.rowShape
  if (!version || !otherPage.rowShape.version) return false
  return versionOrder(version.type, version.name)(page.versions[one.row]!, otherPage.versions[other.row]!) < 0
}

/** The bytes of a selection, for COPY. */
export function* chunksOf({ ranges }: RowSelection): Generator<Uint8Array> {
  for (const { page, from, to } of ranges) yield* page.slices(from, to)
}

/** Two halves of a selection of at least two rows, in order. */
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

/** Parts of one shape each, in order: a COPY has one list of columns. */
export function byShape({ ranges }: RowSelection): RowSelection[] {
  const parts: { ranges: RowRange[]; rows: number }[] = []
  for (const range of ranges) {
    const last = parts.at(-1)
    const rows = range.to - range.from
    if (last && last.ranges[0]!.page.shape === range.page.shape) {
      last.ranges.push(range)
      last.rows += rows
    } else parts.push({ ranges: [range], rows })
  }
  return parts
}
