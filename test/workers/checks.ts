import type { Database } from '../../src/database/database.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { readWindows } from '../../src/ledger/read/read-windows.ts'
import type { Seen } from './api-process.ts'
import type { Hosts } from './hosts.ts'
import { must } from './place.ts'
import { accountNames, DAY, entriesOf, itemsOf, START, type Sizes } from './source.ts'

/** Writes down each commit of a slice: by which token, which run and which host. Call it before the first one. */
export async function writeDownCommits(database: Database): Promise<void> {
  await database.query(
    `create table public.commits (id bigint generated always as identity, slice bigint, token bigint, seq bigint,
       run bigint, host inet, at timestamptz)`,
  )
  await database.query(
    `create function public.committed() returns trigger language plpgsql as $$ begin
       insert into public.commits (slice, token, seq, run, host, at)
       values (new.id, new.token, new.seq, new.run, inet_client_addr(), clock_timestamp());
       return null; end $$`,
  )
  await database.query(
    `create trigger committed after update of seq on sluice.slices for each row
       when (new.seq is distinct from old.seq) execute function public.committed()`,
  )
}

/** Each record of the source is in the tables once, as it is at the source, and was inserted once. */
export async function everyRecordOnce(database: Database, sizes: Sizes): Promise<string> {
  const step = (count: number): number => Math.floor((sizes.windows * DAY) / count)
  const wrong = (count: number): string =>
    `count(*) filter (where name <> 'record ' || id or id not between 0 and ${count - 1}
       or updated_at <> to_timestamp(${START} / 1000.0) + id * ${step(count)} * interval '1 ms') as wrong`
  const entries = entriesOf(sizes)
  const one = await database.one<{ rows: string; ids: string; wrong: string }>(
    `select count(*) as rows, count(distinct id) as ids, ${wrong(entries)} from t.entries`,
  )
  must(
    Number(one.rows) === entries && Number(one.ids) === entries && one.wrong === '0',
    `${entries} entries, each once and equal to its source: ${JSON.stringify(one)}`,
  )
  const items = itemsOf(sizes)
  if (sizes.accounts > 0) {
    const rows = await database.query<{ account: string; rows: string; ids: string; wrong: string }>(
      `select account, count(*) as rows, count(distinct id) as ids, ${wrong(items)} from t.items group by account`,
    )
    const faulty = rows.filter(
      ({ rows, ids, wrong }) => Number(rows) !== items || Number(ids) !== items || wrong !== '0',
    )
    must(
      rows.length === sizes.accounts && faulty.length === 0,
      `${items} items of each of ${sizes.accounts} accounts, each once: ${rows.length} accounts, ` +
        `not so: ${JSON.stringify(faulty.slice(0, 5))}; missing: ` +
        accountNames(sizes)
          .filter((name) => !rows.some(({ account }) => account === name))
          .slice(0, 5)
          .join(', '),
    )
  }
  const all = entries + items * sizes.accounts
  const counts = await database.one<{ inserted: string; updated: string; rejected: string; unchanged: string }>(
    `select sum(inserted) as inserted, sum(updated) as updated, sum(rejected) as rejected, sum(unchanged) as unchanged
       from sluice.slices`,
  )
  must(
    Number(counts.inserted) === all && counts.updated === '0' && counts.rejected === '0',
    `the slices have inserted ${all} rows and updated none: ${JSON.stringify(counts)}`,
  )
  return (
    `every record is stored once: ${all} rows, equal to the source; ` +
    `read once more and unchanged: ${counts.unchanged}`
  )
}

/** A slice is written by one holder after the other, and by none of them once the next one has claimed it. */
export async function noSliceWrittenByTwo(database: Database): Promise<string> {
  const two = await database.query(
    `select slice, token, count(distinct run) as runs, count(distinct host) as hosts from public.commits
      group by slice, token having count(distinct run) > 1 or count(distinct host) > 1 limit 5`,
  )
  must(two.length === 0, `each claim of a slice was written by one run of one host: ${JSON.stringify(two)}`)
  const late = await database.query(
    `select * from (
       select *, max(token) over earlier as newest, max(seq) over earlier as seq_before
         from public.commits window earlier as (
           partition by slice order by id rows between unbounded preceding and 1 preceding)) as c
      where token < newest or seq <> seq_before + 1 limit 5`,
  )
  must(late.length === 0, `no claim was written after the next one, nor a batch twice: ${JSON.stringify(late)}`)
  const { commits, moved } = await database.one<{ commits: string; moved: string }>(
    `select count(*) as commits,
            (select count(*) from (
               select from public.commits group by slice having count(distinct token) > 1) as m) as moved
       from public.commits`,
  )
  return `no slice was written by two: ${commits} commits; ${moved} slices begun by one claim and ended by another`
}

/** The windows of the backfill tile its range, and all are done. */
export async function mapComplete(database: Database, { windows }: Sizes): Promise<string> {
  const backfills = await overviewBackfills(database)
  must(backfills.length === 1, `there is one backfill: ${backfills.length}`)
  const stored = await readWindows(database, backfills[0]!.id)
  const faulty = stored.filter(
    ({ status, lower, upper }, n) =>
      status !== 'done' || lower.getTime() !== START + n * DAY || upper.getTime() !== START + (n + 1) * DAY,
  )
  must(
    stored.length === windows && faulty.length === 0,
    `${windows} windows are done without a gap: ${stored.length}, not so: ${JSON.stringify(faulty.slice(0, 3))}`,
  )
  return `the map is complete: ${windows} windows done, without a gap`
}

/** By the count of the server itself. The entries have one budget in the ledger, the items of all accounts another. */
export async function budgetKept(
  database: Database,
  seen: Seen,
  {
    budget,
    periodMs,
    delayMs,
    accounts,
  }: {
    readonly accounts: number
    readonly budget: number
    readonly periodMs: number
    readonly delayMs: number
  },
): Promise<string> {
  const rates = await database.query('select origin, credentials, rate from sluice.rates')
  must(rates.length === (accounts > 0 ? 2 : 1), `all of one kind share one budget: ${JSON.stringify(rates)}`)
  const { refused, most, mostInPeriod, requests, again } = seen
  const [clean, whole] = [seconds(periodMs - delayMs), seconds(periodMs)]
  const counted = `at most ${most} requests in any ${clean}, ${mostInPeriod} in any ${whole}`
  must(
    refused === 0 && most <= budget,
    `the budget of ${budget} was kept; the API counted ${counted}, refused ${refused}`,
  )
  return (
    `the budget was kept: ${counted}, of ${budget}; ` +
    `${requests} requests, ${again} of them for a page answered before`
  )
}

/** Each host has asked the API, so the work was shared. */
export function hostsAsked({ hosts: asked }: Seen, hosts: Hosts, count: number): string {
  const text = Object.entries(asked)
    .map(([host, requests]) => `${host} ${requests}`)
    .join(', ')
  must(hosts.lack !== undefined || Object.keys(asked).length >= count, `${count} hosts have asked the API: ${text}`)
  return `requests by host: ${text}`
}

const seconds = (ms: number): string => `${ms / 1_000} s`
