import { strict as assert } from 'node:assert'
import { byCursor, http, pipeline, since, until } from '../../src/index.ts'
import { openDatabase, type Database } from '../../src/database/database.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { verifyPipeline } from '../../src/run/verify/verify-pipeline.ts'
import { seeded } from '../kill/job.ts'
import { apiServer, type ApiAnswer } from '../support/api-server.ts'

export interface ProofSettings {
  readonly rows: number
  readonly seed: number
}

interface Entry {
  readonly id: number
  readonly name: string
  readonly amount: number
  readonly updated_at: string
}

const START = Date.UTC(2023, 0, 1)
/** A record a minute. */
const STEP_MS = 60_000
const FAULTS = { missing: 40, stale: 40, extra: 20 }

/** Loads a table, puts faults into it by hand, and has them found and repaired. Throws if anything is not so. */
export async function prove(url: string, { rows, seed }: ProofSettings, tell: (line: string) => void): Promise<void> {
  // The requests of a full reading are always 5,000.
  const size = Math.ceil(rows / 5_000)
  await using api = await apiServer(({ query }) => page(query, rows, size))
  const requests = async <Result>(work: () => Promise<Result>): Promise<readonly [Result, number]> => {
    const before = api.requests.length
    return [await work(), api.requests.length - before]
  }
  const entries = http(api.origin)
    .get<{ entries: Entry[]; next: string | null }>('/entries', { since, until })
    .pages(byCursor('after', 'next'))
    .records('entries')
    .incremental('updated_at')
  const flow = pipeline('proof', { streams: { entries: entries.into('proof.entries', { key: 'id' }) } })
  await using database = await openDatabase({ url })

  const [, full] = await requests(() => runPipeline(flow, { database: url }))
  tell(`${rows.toLocaleString('en-US')} rows are loaded, with ${full} requests`)
  await putFaults(database, rows, seed)

  const [found] = await verifyPipeline(flow, { database: url })
  tell(`found: ${JSON.stringify(found?.counts)}`)
  assert.deepEqual(found?.counts, {
    read: rows,
    equal: rows - FAULTS.missing - FAULTS.stale,
    ...FAULTS,
    newer: 0,
    changedMeanwhile: 0,
    notReadYet: 0,
    rejected: 0,
  })

  const [[repaired], asked] = await requests(() => verifyPipeline(flow, { database: url, repair: true }))
  const again = asked - (repaired?.requests ?? 0)
  const { missing, stale, left, how } = repaired?.repair ?? {}
  tell(`repaired by ${how}: ${missing} missing, ${stale} stale, ${left} left, with ${again} requests`)
  assert.deepEqual({ missing, stale, left }, { missing: FAULTS.missing, stale: FAULTS.stale, left: 0 })
  assert.ok(again < 0.05 * full, `the repair sent ${again} requests, which is not less than 5 % of ${full}`)

  // Extra rows stay. Apart from them the table is what the API has.
  const { wrong } = await database.one<{ wrong: string }>(
    `select count(*) as wrong from generate_series(0, $1 - 1) as n
       full join proof.entries as e on e.id = n
      where n is null or e.id is null or (e.name, e.amount, e.updated_at) is distinct from
        ('entry ' || n, n % 1000, to_timestamp($2::float8 + n * $3::float8))`,
    [rows, START / 1_000, STEP_MS / 1_000],
  )
  tell(`${wrong} rows of the table are not those of the source: the extra ones`)
  assert.equal(Number(wrong), FAULTS.extra)
}

/** Returns the page after an entry, of those of a range. */
function page(query: URLSearchParams, rows: number, size: number): ApiAnswer {
  const indexOf = (name: string): number => Math.ceil((Date.parse(query.get(name) ?? '') - START) / STEP_MS)
  const from = query.has('since') ? Math.max(0, indexOf('since')) : 0
  const to = query.has('until') ? Math.min(rows, indexOf('until')) : rows
  const first = query.has('after') ? Number(query.get('after')) + 1 : from
  const end = Math.min(to, first + size)
  const entries: Entry[] = []
  for (let id = first; id < end; id += 1)
    entries.push({
      id,
      name: `entry ${id}`,
      amount: id % 1_000,
      updated_at: new Date(START + id * STEP_MS).toISOString(),
    })
  return { json: { entries, next: end < to ? String(end - 1) : null } }
}

async function putFaults(database: Database, rows: number, seed: number): Promise<void> {
  const random = seeded(seed)
  const chosen = new Set<number>()
  // The newest ones are left to the next run, which reads them by itself.
  while (chosen.size < FAULTS.missing + FAULTS.stale + FAULTS.extra) chosen.add(Math.floor(random() * (rows - 10)))
  const ids = [...chosen]
  await database.query('delete from proof.entries where id = any($1)', [ids.splice(0, FAULTS.missing)])
  const altered = ids.splice(0, FAULTS.stale)
  await database.query(`update proof.entries set name = 'altered' where id = any($1)`, [altered.slice(0, 20)])
  await database.query('update proof.entries set amount = amount + 1 where id = any($1)', [altered.slice(20, 30)])
  await database.query('update proof.entries set name = null where id = any($1)', [altered.slice(30)])
  await database.query(
    `insert into proof.entries (id, name, amount, updated_at)
     select $2 + id, name, amount, updated_at from proof.entries where id = any($1)`,
    [ids, rows],
  )
}
