// Reads rows with a cursor, for the tests of src/source/cursor.
import { source } from '../../../src/index.ts'
import { maxHighWaterMark } from '../../../src/model/high-water-mark.ts'
import type { HighWaterMark, Page } from '../../../src/model/page.ts'
import type { Incremental } from '../../../src/model/recipe.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

export interface Row {
  id?: number
  at?: unknown
}

/** Reads rows with the cursor `at`. */
export const follow = (
  rows: readonly Row[],
  options: Omit<Incremental, 'at'> = {},
  reading: ReadingOptions = {},
): Promise<Page[]> =>
  readPages(
    source<Row>(async function* () {
      yield { records: rows }
    }).incremental((row) => row.at as string, options as { lookback?: '1s' }),
    reading,
  )

export const latest = (pages: readonly Page[]): HighWaterMark | undefined =>
  pages.map(({ highWaterMark }) => highWaterMark).reduce<HighWaterMark | undefined>(maxHighWaterMark, undefined)

export const highOf = (pages: readonly Page[]): string | undefined => latest(pages)?.value

/** The boundary that the ledger would store with the cursor. */
export const boundaryOf = (pages: readonly Page[]): Record<string, number> => counted(latest(pages)?.hashes ?? [])

export const late = (id: number, at = '2024-06-01T00:00:02Z'): Row => ({ id, at })

export const idsOf = (pages: readonly Page[]): unknown[] => recordsOf(pages).map((row) => (row as Row).id)

export const counted = (hashes: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    Map.groupBy(hashes, (hash) => hash)
      .entries()
      .map(([hash, times]) => [hash, times.length]),
  )

export const teamsOf = (pages: readonly Page[]): unknown[] =>
  recordsOf(pages).map((row) => (row as { team: string }).team)

export const sum = (pages: readonly Page[], name: 'filtered' | 'duplicate'): number =>
  pages.reduce((count, { counts }) => count + counts[name], 0)
