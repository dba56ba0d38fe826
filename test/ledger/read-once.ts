import type { Database } from '../../src/database/database.ts'
import { readCursors } from '../../src/ledger/cursors.ts'
import { END, type HighWaterMark } from '../../src/model/page.ts'
import { batch, commit, openWorker } from './support.ts'

/** The stream that a worker takes. */
export const name = { pipeline: 'forum', stream: 'posts' }

/** The last batch of a slice, without rows. */
export const end = (value?: string, hashes?: readonly string[]) =>
  batch(0, {
    position: END,
    ...(value !== undefined && { highWaterMark: { value, ...(hashes && { hashes }) } satisfies HighWaterMark }),
  })

/** The stream's cursor. */
export const cursor = async (database: Database): Promise<string | undefined> =>
  (await readCursors(database, name))[0]?.value

/** A run of its own that reads the stream to its end. */
export async function readOnce(database: Database, value?: string, hashes?: readonly string[]) {
  await using worker = await openWorker(database)
  const slice = await worker.take()
  await commit(database, slice, slice.seq, end(value, hashes))
  return slice
}
