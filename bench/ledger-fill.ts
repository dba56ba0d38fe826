import type { Database } from '../src/database/database.ts'

/** How large a ledger becomes. */
export interface LedgerSize {
  readonly slices: number
  readonly runs: number
}

/** Runs that one statement inserts; their slices are the next statement. */
const CHUNK = 20_000
/** Windows of one backfill. One slice of a hundred is a window. */
const WINDOWS = 100
/** Indexes of millions of rows are built, and vacuumed, in minutes. */
const LONG = '2h'
const TABLES = ['runs', 'slices', 'backfills', 'rejects', 'events', 'ticks'] as const
/** Time between two lines of progress. */
const TELL_MS = 5_000

/**
 * Multiplies what the last good run of each pipeline has left in the ledger: its row and its slices come again and
 * again, a minute apart and back in time, in turns of the pipelines. Also adds backfills, open readings, rejects,
 * events of seven days and ticks. Foreign keys are not checked meanwhile, so the user must be a superuser. Nobody else
 * may use the ledger: its indexes are dropped, and built again at the end.
 *
 * Each run gets the same number of slices of each stream, so there may be more slices than asked for. Returns how many
 * were added.
 */
export async function fillLedger(
  database: Database,
  { slices, runs }: LedgerSize,
  tell: (line: string) => void = () => {},
): Promise<LedgerSize> {
  await database.query(`create table public.newest as
    select r.*, row_number() over (order by r.id) - 1 as place, count(*) over () as pipelines
      from (select distinct on (pipeline) * from sluice.runs where status = 'done' and kind = 'sync'
             order by pipeline, id desc) as r`)
  // A copy, because the slices have no index by run while they are filled.
  await database.query(`create table public.newest_slices as
    select n.place, s.* from public.newest as n join sluice.slices as s on s.run = n.id`)
  await database.query('analyze public.newest, public.newest_slices')
  const { streams, last } = await database.one<{ streams: number; last: string }>(
    `select (select count(*) from public.newest_slices)::float / (select count(*) from public.newest) as streams,
            (select max(id) from sluice.runs) as last`,
  )
  const windows = Math.round(slices / 100 / WINDOWS) * WINDOWS
  const perRun = Math.ceil((slices - windows) / runs / streams)
  const indexes = await dropIndexes(database)
  await fillRuns(database, { runs, perRun, first: Number(last) }, tell)
  await fillBackfills(database, windows)
  await fillRest(database, runs)
  await database.query('drop table public.newest, public.newest_slices')
  await buildIndexes(database, indexes, tell)
  for (const table of TABLES.filter((name) => name !== 'ticks'))
    await database.query(
      `select setval(pg_get_serial_sequence('sluice.${table}', 'id'),
                     greatest((select max(id) from sluice.${table}), 1))`,
    )
  tell('vacuum')
  await database.query(`vacuum analyze ${TABLES.map((name) => `sluice.${name}`).join(', ')}`, [], { timeout: LONG })
  return { slices: runs * perRun * streams + windows, runs }
}

/** Inserts runs and their slices in chunks, the oldest first. */
async function fillRuns(
  database: Database,
  { runs, perRun, first }: { readonly runs: number; readonly perRun: number; readonly first: number },
  tell: (line: string) => void,
): Promise<void> {
  let told = performance.now()
  for (let from = 0; from < runs; from += CHUNK) {
    const until = Math.min(runs, from + CHUNK)
    const chunk = `generate_series(${from}, ${until - 1}) as g`
    const before = `make_interval(mins => ((${runs} - g) / n.pipelines)::int)`
    await replicate(
      database,
      `insert into sluice.runs (id, kind, pipeline, status, options, lease_pid, lease_started, seen_at, started_at,
                                finished_at, report) overriding system value
       select ${first} + 1 + g, n.kind, n.pipeline, n.status, n.options, n.lease_pid, n.lease_started,
              n.seen_at - ${before}, n.started_at - ${before}, n.finished_at - ${before}, n.report
         from ${chunk} join public.newest as n on n.place = g % n.pipelines order by g`,
    )
    await replicate(
      database,
      `insert into sluice.slices (kind, pipeline, stream, status, started_by, run, since, cursor_at_start, definition,
              position, high_water_mark, boundary, seq, token, fetched, inserted, updated, unchanged,
              expanded, filtered, duplicate, deleted, rejected, parents, batches, counts_at_claim, created_at,
              started_at, finished_at, completeness, open_reasons, field_values)
       select s.kind, s.pipeline, s.stream, s.status, ${first} + 1 + g, ${first} + 1 + g, s.since, s.cursor_at_start,
              s.definition, s.position, s.high_water_mark, s.boundary, s.seq, s.token, s.fetched, s.inserted, s.updated,
              s.unchanged, s.expanded, s.filtered, s.duplicate, s.deleted, s.rejected, s.parents, s.batches,
              s.counts_at_claim, s.created_at - ${before}, s.started_at - ${before},
              s.finished_at - ${before}, case when g % 20000 = 7 then 'open' else s.completeness end,
              case when g % 20000 = 7 then array['the list moved'] end, s.field_values
         from ${chunk} join public.newest as n on n.place = g % n.pipelines
              join public.newest_slices as s on s.place = n.place,
              generate_series(1, ${perRun}) order by g`,
    )
    if (until < runs && performance.now() - told < TELL_MS) continue
    told = performance.now()
    tell(`${until} of ${runs} runs`)
  }
}

/** Drops the indexes that belong to no constraint, and returns the statements that build them again. */
async function dropIndexes(database: Database): Promise<readonly string[]> {
  const indexes = await database.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
       from pg_index as i
      where indrelid = any ($1::regclass[])
        and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)
      order by indrelid, indexrelid`,
    [TABLES.map((name) => `sluice.${name}`)],
  )
  for (const { name } of indexes) await database.query(`drop index ${name}`)
  return indexes.map(({ definition }) => definition)
}

async function buildIndexes(
  database: Database,
  definitions: readonly string[],
  tell: (line: string) => void,
): Promise<void> {
  for (const [place, definition] of definitions.entries()) {
    tell(`index ${place + 1} of ${definitions.length}: ${definition.match(/ (\S+) ON /)?.[1] ?? ''}`)
    await database.query(definition, [], { timeout: LONG })
  }
}

/** Backfills whose windows are done. Of the last one some have failed, and some are still to be read. */
async function fillBackfills(database: Database, windows: number): Promise<void> {
  const backfills = windows / WINDOWS
  await replicate(
    database,
    `insert into sluice.backfills (pipeline, stream, lower, upper, window_size, zone, created_at)
     select s.pipeline, s.stream, '2000-01-01Z'::timestamptz + make_interval(days => ${WINDOWS} * b),
            '2000-01-01Z'::timestamptz + make_interval(days => ${WINDOWS} * (b + 1)), '1d', 'UTC',
            clock_timestamp() - interval '1 year' + make_interval(mins => b)
       from generate_series(0, ${backfills - 1}) as b, lateral (
         select pipeline, stream from sluice.slices where run = (
           select id from public.newest where place = b % pipelines) order by id limit 1) as s`,
  )
  await replicate(
    database,
    `insert into sluice.slices (kind, pipeline, stream, status, started_by, run, definition, position, backfill, lower,
            upper, previous_upper, since, until, seq, token, batches, fetched, inserted, created_at, started_at,
            finished_at, completeness, error)
     select 'backfill', b.pipeline, b.stream, state.status, n.id, n.id, 'd',
            case when state.status = 'done' then '{"end": true}'::json end, b.id, w.lower,
            w.lower + interval '1 day', nullif(w.lower, b.lower), w.lower::text, (w.lower + interval '1 day')::text,
            1, 1, 1, 10, 10, b.created_at, b.created_at, case when state.status <> 'open' then b.created_at end,
            case when state.status = 'done' then 'ended' end, case when state.status = 'failed' then 'HTTP 500' end
       from sluice.backfills as b join public.newest as n on n.pipeline = b.pipeline,
            generate_series(b.lower, b.upper - interval '1 day', interval '1 day') as w (lower),
            lateral (select case when b.id < (select max(id) from sluice.backfills) then 'done'
                                 when extract(day from w.lower) = 1 then 'failed'
                                 when extract(day from w.lower) = 2 then 'open' else 'done' end as status) as state
      where not exists (select from sluice.slices as o where o.backfill = b.id)
      order by b.id, w.lower`,
  )
}

/** For twenty runs a settled reject, and ten open ones at all; for each run a tick, and six events in the last week. */
async function fillRest(database: Database, runs: number): Promise<void> {
  await replicate(
    database,
    `insert into sluice.rejects (run, slice, pipeline, stream, seq, stage, reason, record, created_at, identity,
                                 settled_at, settled_by, settlement)
     select s.run, s.id, s.pipeline, s.stream, 0, 'decode', 'amount is no number', '{"id":1,"amount":"?"}',
            s.created_at,
            'key ' || s.id, case when o.g > 10 then s.finished_at end, case when o.g > 10 then s.run end,
            case when o.g > 10 then 'stored' end
       from generate_series(1, ${Math.max(10, Math.round(runs / 20))}) as o (g)
       join sluice.slices as s on s.id = (select min(id) from sluice.slices where kind = 'sync') + o.g * 20`,
  )
  await replicate(
    database,
    `insert into sluice.events (run, at, type, stream, data)
     select r.id, r.started_at, 'batch.committed', 'one', '{"type":"batch.committed","stream":"one","counts":{}}'
       from sluice.runs as r, generate_series(1, 6) where r.started_at > clock_timestamp() - interval '7 days'
      order by r.id`,
  )
  await replicate(
    database,
    `insert into sluice.schedules (pipeline, registered_at)
     select pipeline, clock_timestamp() - interval '9 years' from public.newest`,
  )
  await replicate(
    database,
    `insert into sluice.ticks (pipeline, tick, status, run, claimed_at, finished_at)
     select pipeline, started_at, 'done', id, started_at, finished_at from sluice.runs on conflict do nothing`,
  )
}

/** Runs a statement without triggers and foreign keys. */
async function replicate(database: Database, statement: string): Promise<void> {
  await using transaction = await database.transaction({ statementTimeout: LONG })
  await transaction.query('set local session_replication_role = replica')
  await transaction.query(statement)
  await transaction.commit()
}
