import type { Database } from '../../../src/database/database.ts'
import { coverOpenReadings, type CoverOptions } from '../../../src/ledger/slices/cover-open.ts'
import { openLedger, signal } from '../support.ts'

export interface Ended {
  readonly kind?: 'sync' | 'backfill'
  readonly grade?: 'counted' | 'ended' | 'open' | null
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly high?: string
  readonly stream?: string
}

/** A ledger with one run, and slices of `forum.posts` that ended one after the other. */
export async function filledLedger() {
  const ledger = await openLedger()
  const worker = await ledger.worker()
  const { database } = ledger
  const slice = async ({
    kind = 'sync',
    grade = 'ended',
    since,
    until,
    high,
    stream = 'posts',
  }: Ended): Promise<string> => {
    const { id } = await database.one<{ id: string }>(
      `insert into sluice.slices (kind, status, position, pipeline, stream, started_by, run, definition, since,
         high_water_mark, finished_at, completeness, open_reasons, until)
       values ($1, 'done', '{"end":true}', 'forum', $2, $3, $3, 'd1', $4, $7, clock_timestamp(), $5, $6, $8)
       returning id`,
      [kind, stream, worker.run, since, grade, grade === 'open' ? ['page 2 was full'] : null, high, until],
    )
    return id
  }
  /** A backfill of days in January, all of whose windows ended with these grades. */
  const windows = async (from: number, window: string, grades: readonly Ended['grade'][]): Promise<void> => {
    const step = Number.parseInt(window, 10)
    const bounds = Array.from({ length: grades.length + 1 }, (_, n) => new Date(Date.UTC(2024, 0, from + n * step)))
    const { id } = await database.one<{ id: string }>(
      `select id from sluice.plan_backfill($1, 'forum', 'posts', '', $2, $3, 'UTC', 'd1')`,
      [worker.run, bounds, window],
    )
    for (const [n, grade] of grades.entries())
      await database.query(
        `update sluice.slices set status = 'done', position = '{"end":true}', completeness = $3,
            started_at = clock_timestamp(), finished_at = clock_timestamp()
          where backfill = $1 and lower = $2`,
        [id, bounds[n], grade],
      )
  }
  const cover = async (more: Partial<CoverOptions> = {}): Promise<void> =>
    coverOpenReadings(database, { pipeline: 'forum', stream: 'posts', run: worker.run, ...more, signal })
  return {
    ...ledger,
    run: worker.run,
    slice,
    windows,
    cover,
    [Symbol.asyncDispose]: async () => {
      await worker[Symbol.asyncDispose]()
      await ledger[Symbol.asyncDispose]()
    },
  }
}

/** Which slices cover the slices, by their ids. */
export const coveredBy = async (database: Database): Promise<(string | null)[]> =>
  (await database.query<{ by: string | null }>('select covered_by as by from sluice.slices order by id')).map(
    ({ by }) => by,
  )
