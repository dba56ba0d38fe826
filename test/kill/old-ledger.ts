// A ledger in which nearly everything is old, and some of that is still needed.
import { fillLedger } from '../../bench/ledger-fill.ts'
import { openDatabase } from '../../src/database/database.ts'
import { byOffset, http, pipeline, since, until } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { BrokenPromise } from './broken-promise.ts'

const DAY = 86_400_000
const AGE = `interval '90 days'`
/** Runs of one stream, each with a slice: more than a prune looks at with a few statements. */
const RUNS = 2_400

/** The rows of the ledger. */
export const PRESENT = `
  select 'run ' || id as name from sluice.runs union all select 'slice ' || id from sluice.slices
  union all select 'chain ' || id from sluice.chains union all select 'reject ' || id from sluice.rejects
  union all select format('cursor of %s at %s by slice %s', pipeline, value, slice) from sluice.cursors`

/** Those that a later run, a person or the status needs, however old they are, and the runs of their slices. */
export const NEEDED = `
  with needed as (
    select s.id, s.run, s.started_by from sluice.slices as s
     where s.status = 'open' or (s.completeness = 'open' and s.covered_by is null)
        or s.id in (select slice from sluice.cursors)
        or s.id in (select slice from sluice.rejects where settled_at is null)
        or s.chain in (select id from sluice.chains where ended_at is null))
  select 'slice ' || id as name from needed union select 'run ' || run from needed
  union select 'run ' || started_by from needed
  union select 'chain ' || id from sluice.chains where ended_at is null
  union select 'reject ' || id from sluice.rejects where settled_at is null
  union select format('cursor of %s at %s by slice %s', pipeline, value, slice) from sluice.cursors`

interface Row {
  readonly id: number
  readonly at: string
  readonly name: string
}

/**
 * Fills the ledger of a migrated database: a chain that has ended, one that waits for a range that has failed, open
 * rejects, an open reading, and a cursor that later readings have left where it was, below thousands of runs.
 */
export async function fillOldLedger(url: string): Promise<void> {
  const rows = Array.from({ length: 15 }, (_, id): Row => ({
    id,
    at: new Date(Date.now() - (60 - 4 * id) * DAY).toISOString(),
    name: `row ${id}`,
  }))
  await using api = await apiServer(({ path, query }) => {
    const [from, to] = [query.get('from') ?? '', query.get('to') ?? '9']
    const found = rows.filter(({ at }) => at >= from && at < to)
    if (path === '/stuck' && found.some(({ id }) => id === 6)) return { status: 400, json: { error: 'no' } }
    const offset = Number(query.get('offset') ?? 0)
    const page = found.slice(offset, offset + 5)
    // One is rejected, in a range of the chain that waits.
    const named = page.map((row) => (path === '/stuck' && row.id === 1 ? { ...row, name: 'unstorable\0' } : row))
    return { json: { rows: named, total: found.length } }
  })
  const days = (name: string) =>
    pipeline(name, {
      streams: {
        days: http(api.origin, { attempts: 1 })
          .get<{ rows: Row[]; total: number }>(`/${name}`, { from: since, to: until, limit: 5 })
          .pages(byOffset('offset', { total: 'total' }))
          .records('rows')
          .incremental('at', {
            startFrom: new Date(Date.now() - 61 * DAY).toISOString(),
            step: '10d',
            concurrency: 2,
          })
          .into(`kill.${name}`, { key: 'id' }),
      },
    })
  const options = { database: url, environment: {} }
  await runPipeline(days('stuck'), options)
  await runPipeline(days('old'), options)
  await runPipeline(days('old'), options)
  await using database = await openDatabase({ url })
  const { live, ended } = await database.one<{ live: number; ended: number }>(
    `select count(*) filter (where ended_at is null)::int as live,
            count(*) filter (where ended_at is not null)::int as ended from sluice.chains`,
  )
  if (live !== 1 || ended !== 1) throw new BrokenPromise(`the ledger has ${live} live chains and ${ended} others`)
  await database.query(`update sluice.runs set started_at = started_at - ${AGE}, finished_at = finished_at - ${AGE}`)
  await database.query(
    `update sluice.slices set created_at = created_at - ${AGE}, started_at = started_at - ${AGE},
            finished_at = finished_at - ${AGE}`,
  )
  await database.query(`update sluice.chains set started_at = started_at - ${AGE}, ended_at = ended_at - ${AGE}`)
  await database.query(`update sluice.rejects set created_at = created_at - ${AGE}`)
  await fillLedger(database, { slices: RUNS, runs: RUNS })
  // Half of the runs are those of the stream that is stuck: the last hundred of each stream stay in any case.
  await database.query(
    `with moved as (update sluice.runs set pipeline = 'stuck' where id > 3 and id % 2 = 0 returning id)
     update sluice.slices as s set pipeline = 'stuck' from moved where s.run = moved.id`,
  )
  await database.query(
    `update sluice.cursors set slice = (
       select id from sluice.slices where pipeline = 'old' and id > ${RUNS / 4} and completeness <> 'open'
          and id not in (select slice from sluice.rejects) order by id limit 1)
      where pipeline = 'old'`,
  )
}
