import type { Database } from '../../../src/database/database.ts'
import type { LeaseKeeper } from '../../../src/ledger/lease/lease-keeper.ts'
import type { SliceRow } from '../../../src/ledger/slices/held-slice.ts'
import { claimRangeRow, openRangeRow } from '../../../src/ledger/slices/ranges.ts'
import { signal } from '../support.ts'

/** Leases without a session end by their time alone. */
const session: LeaseKeeper['session'] = { pid: null, started: null }

/** Where a range begins. */
export const day = (link: number): string => `2024-01-0${link}T00:00:00Z`

/** The next range of the stream's chain, each of a day. */
export async function openRange(database: Database, run: string, stream: string): Promise<SliceRow | undefined> {
  const { chain, link } = await database.one<{ chain: string | null; link: string | null }>(
    `select max(c.id) as chain, max(s.link) as link
       from sluice.live_chain('forum', $1, '') as c join sluice.slices as s on s.chain = c.id`,
    [stream],
  )
  const range = { since: day(Number(link) + 1), until: day(Number(link) + 2) }
  const options = {
    pipeline: 'forum',
    stream,
    ...range,
    chain,
    link,
    cursor: null,
    definition: 'd1',
    run,
    session,
    signal,
  }
  return openRangeRow(database, options)
}

export const claimRange = (database: Database, run: string, stream: string): Promise<SliceRow | undefined> =>
  claimRangeRow(database, { pipeline: 'forum', stream, definition: 'd1', run, session, signal })
