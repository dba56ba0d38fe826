import type { Counts, CountsOfChildren } from '../model/batch.ts'
import { worstOf, type Completeness } from '../model/completeness.ts'
import { addFieldValues, type FieldValues } from '../model/field-values.ts'
import { maxHighWaterMark } from '../model/high-water-mark.ts'
import { removesAnnounced } from '../model/deletions.ts'
import type { HighWaterMark, ParentCursor, Reject } from '../model/page.ts'
import type { Table } from '../model/recipe.ts'
import { defined } from '../value/defined.ts'
import type { EncodedTombstone } from './deleted/encode-tombstones.ts'
import { EncodedRows, type EncodedPage, type RowShape } from './encode/encoded-page.ts'
import { sharedKeyText } from './shared-key.ts'
import { roundsOf, selectRows, splitByShape, type KeepRule, type RowSelection } from './row-selection.ts'
import type { StoredCounts } from './write-modes.ts'

export interface WrittenBatch {
  /** Records read and rows written of the whole batch; the two sides balance. */
  readonly counts: Counts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  /** The worst of all pages. */
  readonly completeness?: Completeness
  /** Hashes of records that the previous run has read as well. */
  readonly boundaryMatches?: readonly string[]
  /** Cursors of child lists that end in the batch. */
  readonly parentCursors?: readonly ParentCursor[]
  /** A sentence about the field of the key that no record of a page has. */
  readonly missingKey?: string
  /** For a mirror: records were rejected, and nothing says which rows are theirs. */
  readonly hasUnknownRecords?: boolean
  /** A sentence about records that are lost because they share a key with others and differ from them. */
  readonly sharedKey?: string
  /** What its pages add to the samples of their reading. */
  readonly fieldValues?: FieldValues
  /** What was done to tables of nested lists. */
  readonly children?: CountsOfChildren
  /** Identities of open rejects that its records settle. */
  readonly settles?: readonly string[]
}

/** Returns true if a batch has stored a row, or found it in the table, or may have deleted or marked one. */
export const hasRows = (
  { counts: { inserted, updated, unchanged, duplicate, deleted } }: WrittenBatch,
  table: Table,
): boolean => inserted + updated + unchanged + duplicate > 0 || (deleted > 0 && removesAnnounced(table))

/** Stores rows of one shape, and returns the rows that the database refused. */
export type StorePart = (
  rows: RowSelection,
  shape: RowShape,
) => Promise<{ readonly stored: StoredCounts; readonly rejects: readonly Reject[] }>

/** Deletes rows, and returns the rejects of those that the database refused to delete. */
export type DeletePart = (tombstones: readonly EncodedTombstone[]) => Promise<readonly Reject[]>

/** Stores the rows of some pages, without rows that another row of the same key replaces, and adds up the counts. */
export async function writeBatch(
  pages: readonly EncodedPage[],
  table: Table,
  { storePart, deletePart }: { readonly storePart: StorePart; readonly deletePart: DeletePart },
): Promise<WrittenBatch> {
  const keep = keepRule(table, rowsOf(pages))
  const selection = selectRows(rowsOf(pages), keep)
  const rejects: Reject[] = pages.flatMap((page) => page.rejects)
  const { tombstones } = selection
  const remove = async (): Promise<readonly Reject[]> => (tombstones.length === 0 ? [] : deletePart(tombstones))
  // A deletion ends a version of a history that the batch may bring, and elsewhere makes room for a new row.
  const refused = table.write === 'history' ? [] : [...(await remove())]
  const stored = { inserted: 0, updated: 0, unchanged: 0, duplicate: selection.duplicates, rejected: 0 }
  const rounds = keep === 'each' ? roundsOf(selection) : [selection]
  for (const { rows, shape } of rounds.flatMap(splitByShape)) {
    const part = await storePart(rows, shape)
    stored.inserted += part.stored.inserted
    stored.updated += part.stored.updated
    stored.unchanged += part.stored.unchanged
    stored.duplicate += part.stored.duplicate
    stored.rejected += part.rejects.length
    rejects.push(...part.rejects)
  }
  if (table.write === 'history') refused.push(...(await remove()))
  rejects.push(...refused)
  const read = (name: keyof EncodedPage['counts']): number => pages.reduce((sum, page) => sum + page.counts[name], 0)
  const counts = {
    fetched: read('fetched'),
    expanded: read('expanded'),
    filtered: read('filtered'),
    deleted: read('deleted') - refused.length,
    parents: read('parents'),
    inserted: stored.inserted,
    updated: stored.updated,
    unchanged: stored.unchanged,
    duplicate: read('duplicate') + stored.duplicate,
    rejected: read('rejected') + stored.rejected + refused.length,
  }
  const highWaterMark = pages.reduce<HighWaterMark | undefined>(
    (greatest, page) => maxHighWaterMark(greatest, page.highWaterMark),
    undefined,
  )
  const completeness = pages.reduce<Completeness | undefined>(
    (worst, page) => worstOf(worst, page.completeness),
    undefined,
  )
  const boundaryMatches = pages.flatMap((page) => page.boundaryMatches ?? [])
  const settles = pages.flatMap((page) => page.settles ?? [])
  const parentCursors = pages.flatMap((page) => page.parentCursors ?? [])
  const fieldValues = addFieldValues(...pages.map(({ rows, samples = new Map() }) => ({ rows, samples })))
  return {
    counts,
    rejects,
    fieldValues,
    ...(settles.length > 0 && { settles }),
    ...(pages.some((page) => page.hasUnknownRecords) && { hasUnknownRecords: true }),
    ...(parentCursors.length > 0 && { parentCursors }),
    ...defined({
      highWaterMark,
      completeness,
      sharedKey: sharedKeyText(table, selection.lost),
      missingKey: pages.find((page) => page.missingKey !== undefined)?.missingKey,
      boundaryMatches: boundaryMatches.length > 0 ? boundaryMatches : undefined,
    }),
  }
}

/** Returns a sentence about records of a page that would be lost because of their key; undefined if there are none. */
export const sharedKeyIn = (page: EncodedPage, table: Table): string | undefined =>
  sharedKeyText(table, selectRows(rowsOf([page]), keepRule(table, rowsOf([page]))).lost)

/** Returns pages with the members that only the table writer needs. */
export const rowsOf = (pages: readonly EncodedPage[]): EncodedRows[] =>
  pages.map((page) => {
    if (page instanceof EncodedRows) return page
    throw new TypeError('write takes the pages that encode has returned')
  })

function keepRule({ key, write, absent, insertOnly = [] }: Table, pages: readonly EncodedRows[]): KeepRule {
  if (key.length === 0) return 'all'
  // Each version of a history is written. The database finds those that begin at one moment, however it is written.
  if (write === 'history' && pages.some(({ rowShape }) => rowShape.version)) return 'all'
  // An append by key keeps the stored row. The same holds within a batch, so that the size of batches does not matter.
  if (write === 'append') return 'first'
  return absent === 'keep' || insertOnly.length > 0 ? 'each' : 'newest'
}
