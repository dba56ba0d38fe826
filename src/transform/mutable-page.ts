// One page while the stages change it: its records, and the counts and rejects that the stages add.
import { rejectionReason } from '../observe/rejection-reason.ts'
import type { Page, Reject, RejectStage, Tombstone } from '../model/page.ts'
import { defined } from '../value/defined.ts'
import { movedTombstones } from './tombstones.ts'

export interface MutablePage {
  records: readonly unknown[]
  /** The records as they were read, one for each of `records`. Undefined while no stage has changed them. */
  origins: readonly unknown[] | undefined
  readonly parents: readonly unknown[] | undefined
  /** Records that the stages filtered, in addition to the page's own count. */
  filtered: number
  duplicate: number
  /** Records that the API announced as deleted. */
  deleted: number
  tombstones: readonly Tombstone[]
  readonly rejects: Reject[]
}

/** A stage that is ready to change one page after another. */
export type CompiledStage = (page: MutablePage) => void | Promise<void>

export const mutablePage = ({ records, origins, parents, tombstones = [] }: Page): MutablePage => ({
  records,
  origins,
  parents,
  filtered: 0,
  duplicate: 0,
  deleted: 0,
  tombstones,
  rejects: [],
})

/**
 * Replaces the records of a page. `indexes` are the places of their origins in the old list; undefined means that the
 * origins are the same, in the same order.
 */
export function keepRecords(
  page: MutablePage,
  records: readonly unknown[],
  indexes: readonly number[] | undefined,
): void {
  const origins = page.origins ?? page.records
  if (indexes && page.tombstones.length > 0)
    page.tombstones = movedTombstones(page.tombstones, indexes, page.records.length)
  page.origins = indexes ? indexes.map((index) => origins[index]) : origins
  page.records = records
}

/** Rejects one record because a stage threw on it. Throws the error again if it was not the record's fault. */
export function rejectRecord(
  page: MutablePage,
  index: number,
  stage: RejectStage,
  error: unknown,
  signal: AbortSignal,
): void {
  signal.throwIfAborted()
  const reason = rejectionReason(error)
  if (reason === undefined) throw error
  const record = (page.origins ?? page.records)[index]
  page.rejects.push({ stage, reason, record, ...defined({ parents: page.parents }) })
}

/** Rejects a record that the API announced as deleted: nothing says which row it is. */
export function rejectTombstone(page: MutablePage, record: unknown, error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted()
  const reason = rejectionReason(error)
  if (reason === undefined) throw error
  page.deleted -= 1
  page.rejects.push({ stage: 'deleted', reason, record, ...defined({ parents: page.parents }) })
}

/** Returns the page with its new records, and with the counts and rejects of the stages added to its own. */
export function finishedPage(
  page: Page,
  { records, origins, filtered, duplicate, deleted, tombstones, rejects }: MutablePage,
): Page {
  const { counts } = page
  return {
    ...page,
    records,
    ...defined({ origins }),
    ...((page.tombstones ?? tombstones).length > 0 && { tombstones }),
    counts: {
      ...counts,
      filtered: counts.filtered + filtered,
      duplicate: counts.duplicate + duplicate,
      deleted: counts.deleted + deleted,
      rejected: counts.rejected + rejects.length,
    },
    rejects: rejects.length === 0 ? page.rejects : [...page.rejects, ...rejects],
  }
}
