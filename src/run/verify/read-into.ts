import { batches } from '../../flow/batches.ts'
import { encodePages } from '../../load/encode/encode-pages.ts'
import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import { NeedsSchemaChange } from '../../load/shape/schema-change.ts'
import type { ReadRows } from '../../load/compare/read-rows.ts'
import { worstOf, type Completeness } from '../../model/completeness.ts'
import { PositionLostError } from '../../model/errors.ts'
import type { Page } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import { readSteps, type MovedList } from '../../read/read-steps.ts'
import { DEFAULTS } from '../options.ts'
import type { LaterRecords } from './later-records.ts'

export interface ReadIntoOptions {
  readonly scope: Scope
  readonly moved: MovedList
  readonly later: LaterRecords
  /** Called with the number of rows of each batch. */
  readonly onRows: (rows: number) => void
}

export interface ReadPart {
  readonly rejected: number
  readonly pages: number
  readonly completeness: Completeness | undefined
  /** The API said that nothing has changed since the last reading, so nothing was read. */
  readonly isUnchanged: boolean
  /** Sentences about records that share a key. */
  readonly warnings: readonly string[]
}

/** Times that a part is read again because the API has forgotten a position of it. */
const MAX_RESTARTS = 2

/** Reads a range of a stream as a run does, and stores its rows in the temporary table. */
export async function readInto(
  rows: ReadRows,
  recipe: Recipe,
  range: Range,
  options: ReadIntoOptions,
): Promise<ReadPart> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await readOnce(rows, recipe, range, options)
    } catch (error) {
      if (!(error instanceof PositionLostError) || restarts >= MAX_RESTARTS) throw error
      await rows.clear()
    }
  }
}

async function readOnce(
  rows: ReadRows,
  recipe: Recipe,
  range: Range,
  { scope, moved, later, onRows }: ReadIntoOptions,
): Promise<ReadPart> {
  const { signal } = scope
  const encode = (page: Page): EncodedPage => {
    const isLater = later(page)
    for (;;) {
      const encoded = rows.encode(page, isLater)
      if (!(encoded instanceof NeedsSchemaChange)) return encoded
      rows.change(encoded)
    }
  }
  let [rejected, pages] = [0, 0]
  let completeness: Completeness | undefined
  let isUnchanged = false
  const warnings = new Set<string>()
  const pagesRead = readSteps(recipe, range, scope, moved)
  const encoded = encodePages(pagesRead, { encode }, { signal }) as AsyncGenerator<EncodedPage>
  for await (const batch of batches(encoded, { ...DEFAULTS.batch, measure: (page) => page, signal })) {
    try {
      pages += batch.length
      // Rows for other columns than those before are written after them.
      for (const part of bySameShape(batch)) {
        const written = await rows.write(part)
        rejected += written.counts.rejected
        completeness = worstOf(completeness, written.completeness)
        isUnchanged ||= written.highWaterMark?.isUnchanged === true
        for (const text of [written.sharedKey, written.missingKey]) if (text !== undefined) warnings.add(text)
      }
      onRows(batch.reduce((sum, page) => sum + page.rows, 0))
    } finally {
      for (const page of batch) page[Symbol.dispose]()
    }
  }
  return { rejected, pages, completeness, isUnchanged, warnings: [...warnings] }
}

function bySameShape(pages: readonly EncodedPage[]): EncodedPage[][] {
  const parts: EncodedPage[][] = []
  for (const page of pages) {
    const last = parts.at(-1)
    if (last?.[0]?.shape === page.shape) last.push(page)
    else parts.push([page])
  }
  return parts
}
