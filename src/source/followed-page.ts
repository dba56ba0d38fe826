// The part of a page that every source makes in the same way: its records, after the cursor was followed.
import { NO_READ_COUNTS } from '../model/counts.ts'
import type { Page } from '../model/page.ts'
import type { CursorFollower } from './cursor/follow-cursor.ts'

export interface FollowedPage {
  readonly page: Pick<Page, 'records' | 'rejects' | 'counts' | 'highWaterMark' | 'boundaryMatches'>
  /** True if no later page can have records of the range. */
  readonly hasEnded: boolean
}

export function followedPage(records: readonly unknown[], follower: CursorFollower | undefined): FollowedPage {
  const counts = { ...NO_READ_COUNTS, fetched: records.length }
  if (!follower) return { page: { records, rejects: [], counts }, hasEnded: false }
  const { records: kept, filtered, boundaryMatches, highWaterMark, hasEnded } = follower.follow(records)
  return {
    page: {
      records: kept,
      rejects: [],
      counts: { ...counts, filtered, duplicate: boundaryMatches.length },
      ...(highWaterMark && { highWaterMark }),
      ...(boundaryMatches.length > 0 && { boundaryMatches }),
    },
    hasEnded,
  }
}
