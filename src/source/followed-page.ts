// The part of a page that every source makes in the same way: its records, after the cursor was followed.
import { NO_READ_COUNTS } from '../model/counts.ts'
import type { Page, Reject } from '../model/page.ts'
import { UnreadableRecord } from '../model/unreadable-record.ts'
import type { CursorFollower } from './cursor/follow-cursor.ts'

export interface FollowedPage {
  readonly page: Pick<Page, 'records' | 'rejects' | 'counts' | 'highWaterMark' | 'boundaryMatches'>
  /** True if no later page can have records of the range. */
  readonly hasEnded: boolean
}

export function followedPage(read: readonly unknown[], follower: CursorFollower | undefined): FollowedPage {
  const { records, rejects } = readable(read)
  const counts = { ...NO_READ_COUNTS, fetched: read.length, rejected: rejects.length }
  if (!follower) return { page: { records, rejects, counts }, hasEnded: false }
  const { records: kept, filtered, boundaryMatches, highWaterMark, hasEnded } = follower.follow(records)
  return {
    page: {
      records: kept,
      rejects,
      counts: { ...counts, filtered, duplicate: boundaryMatches.length },
      ...(highWaterMark && { highWaterMark }),
      ...(boundaryMatches.length > 0 && { boundaryMatches }),
    },
    hasEnded,
  }
}

/** Takes the records that could not be read out of a page. Most pages have none. */
function readable(read: readonly unknown[]): { readonly records: readonly unknown[]; readonly rejects: Reject[] } {
  if (!read.some((record) => record instanceof UnreadableRecord)) return { records: read, rejects: [] }
  const rejects: Reject[] = []
  const records = read.filter((one) => {
    if (!(one instanceof UnreadableRecord)) return true
    rejects.push({ stage: 'read', reason: one.reason, record: one.record })
    return false
  })
  return { records, rejects }
}
