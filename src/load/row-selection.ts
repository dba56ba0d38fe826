import type { EncodedRows } from './encode/encoded-page.ts'
import { versionOrder } from './encode/version-order.ts'

/** Rows of one page that follow each other. */
export interface Stretch {
  readonly page: EncodedRows
  readonly from: number
  readonly to: number
}

/** The rows of a batch that are written, in the order in which they were read. */
export interface Selection {
  readonly stretches: readonly Stretch[]
  readonly rows: number
}

/** Which of several rows of one key is written: the newest, and among equals the one read last; or simply the first. */
export type Keep = 'newest' | 'first' | 'all'

/** The rows of some pages, without those that another row of the same key makes superfluous. */
export function select(pages: readonly EncodedRows[], keep: Keep): Selection & { readonly duplicates: number } {
  const dropped = keep === 'all' ? [] : superfluous(pages, keep)
  const stretches: Stretch[] = []
  let rows = 0
  let duplicates = 0
  pages.forEach((page, index) => {
    let from = 0
    for (const row of (dropped[index] ?? []).toSorted((a, b) => a - b)) {
      if (from < row) stretches.push({ page, from, to: row })
      from = row + 1
      duplicates += 1
    }
    if (from < page.rows) stretches.push({ page, from, to: page.rows })
    rows += page.rows
  })
  return { stretches, rows: rows - duplicates, duplicates }
}

/** For each page the rows that are left out. */
function superfluous(pages: readonly EncodedRows[], keep: 'newest' | 'first'): number[][] {
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
      const earlier = placeOf(before, pages)
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

interface Place {
  readonly page: number
  readonly row: number
}

function placeOf(number: number, pages: readonly EncodedRows[]): Place {
  let row = number
  let page = 0
  for (; row >= pages[page]!.keys.length; page += 1) row -= pages[page]!.keys.length
  return { page, row }
}

function isOlder(pages: readonly EncodedRows[], one: Place, other: Place): boolean {
  const [page, otherPage] = [pages[one.page]!, pages[other.page]!]
  const { version } = page.rowShape
  if (!version || !otherPage.rowShape.version) return false
  return versionOrder(version.type, version.name)(page.versions[one.row]!, otherPage.versions[other.row]!) < 0
}

/** The bytes of a selection, for COPY. */
export function* chunksOf({ stretches }: Selection): Generator<Uint8Array> {
  for (const { page, from, to } of stretches) yield* page.slices(from, to)
}

/** Two halves of a selection of at least two rows, in order. */
export function halves({ stretches, rows }: Selection): readonly [Selection, Selection] {
  const first: Stretch[] = []
  const second: Stretch[] = []
  let wanted = rows >> 1
  for (const { page, from, to } of stretches) {
    const middle = Math.min(to, from + wanted)
    if (from < middle) first.push({ page, from, to: middle })
    if (middle < to) second.push({ page, from: middle, to })
    wanted -= middle - from
  }
  return [
    { stretches: first, rows: rows >> 1 },
    { stretches: second, rows: rows - (rows >> 1) },
  ]
}

/** Parts of one shape each, in order: a COPY has one list of columns. */
export function byShape({ stretches }: Selection): Selection[] {
  const parts: { stretches: Stretch[]; rows: number }[] = []
  for (const stretch of stretches) {
    const last = parts.at(-1)
    const rows = stretch.to - stretch.from
    if (last && last.stretches[0]!.page.shape === stretch.page.shape) {
      last.stretches.push(stretch)
      last.rows += rows
    } else parts.push({ stretches: [stretch], rows })
  }
  return parts
}
