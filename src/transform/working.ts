import type { Page, Reject } from '../model/page.ts'

/** One page while stages change it. Counts and rejects are what the stages add. */
export interface Working {
  records: readonly unknown[]
  /** The records as they were read; undefined while they are the same. */
  origins: readonly unknown[] | undefined
  readonly parents: readonly unknown[] | undefined
  filtered: number
  duplicate: number
  readonly rejects: Reject[]
}

/** One stage, ready to be used for page after page. */
export type Change = (page: Working) => void | Promise<void>

export const working = ({ records, origins, parents }: Page): Working => ({
  records,
  origins,
  parents,
  filtered: 0,
  duplicate: 0,
  rejects: [],
})

/** The record as it was read. */
export const originOf = ({ records, origins }: Working, place: number): unknown => (origins ?? records)[place]

/** What a stage left of a page: records that changed keep those they came from. */
export function keep(page: Working, records: readonly unknown[], places: readonly number[] | undefined): void {
  const origins = page.origins ?? page.records
  page.origins = places ? places.map((place) => origins[place]) : origins
  page.records = records
}

/** The page as it goes on: its counts with what the stages added. */
export function changedPage(page: Page, { records, origins, filtered, duplicate, rejects }: Working): Page {
  const { counts } = page
  return {
    ...page,
    records,
    ...(origins && { origins }),
    counts: {
      ...counts,
      filtered: counts.filtered + filtered,
      duplicate: counts.duplicate + duplicate,
      rejected: counts.rejected + rejects.length,
    },
    rejects: rejects.length === 0 ? page.rejects : [...page.rejects, ...rejects],
  }
}
