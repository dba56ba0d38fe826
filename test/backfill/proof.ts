import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/database/database.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { readWindows } from '../../src/ledger/read/read-windows.ts'
import type { Report } from '../../src/model/report.ts'
import type { BackfillPlan } from '../../src/run/backfill/backfill-plan.ts'
import { seeded } from '../kill/job.ts'
import { sluice } from '../kill/sluice.ts'
import type { ApiSettings } from './api-process.ts'
import { original, START, type Entry } from './entries.ts'

/** A bound in the middle of the first window. */
const NOON = new Date(START + 43_200_000).toISOString()

export interface ProofSettings extends ApiSettings {
  readonly atOnce: number
  readonly kills: number
  /** Milliseconds between two live runs. */
  readonly liveEvery: number
}

/** The command as a process of its own, against one database and one API. */
interface Place {
  readonly url: string
  readonly api: string
  readonly children: Set<ChildProcess>
}

const PIPELINE = join(import.meta.dirname, 'pipelines', 'fill.ts')

/** An API in a process of its own, which ends with it. */
export async function openApi(
  settings: ApiSettings,
): Promise<AsyncDisposable & { readonly url: string; readonly get: (path: string) => Promise<unknown> }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'api-process.ts'), JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const url = `http://127.0.0.1:${port.trim()}`
  return {
    url,
    get: async (path) => (await fetch(url + path)).json(),
    [Symbol.asyncDispose]: async () => {
      const left = once(child, 'exit')
      child.stdin.end()
      await left
    },
  }
}

function start({ url, api, children }: Place, args: readonly string[]): ChildProcess {
  const { file, args: all, environment } = sluice(args, { DATABASE_URL: url, FILL_API: api })
  const child = spawn(file, all, { env: environment, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream.setEncoding('utf8')) all += chunk
  return all
}

async function ended(
  child: ChildProcess,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

const must = (isSo: boolean, what: string): void => {
  if (!isSo) throw new Error(`Not so: ${what}`)
}

const words = ({ days }: ApiSettings): string[] => [
  'backfill',
  PIPELINE,
  '--from',
  '2023-01-01',
  '--to',
  new Date(START + days * 86_400_000).toISOString().slice(0, 10),
  '--window',
  '1d',
]

/** One whole backfill into an empty database; answers its milliseconds. */
export async function measure(url: string, api: string, settings: ProofSettings, atOnce: number): Promise<number> {
  const place: Place = { url, api, children: new Set() }
  const { code, stdout, stderr } = await ended(
    start(place, [...words(settings), '--concurrency', String(atOnce), '--json']),
  )
  must(code === 0, `a backfill with ${atOnce} at once ended with ${code}: ${stderr}`)
  const report = JSON.parse(stdout) as Report
  must(
    report.streams['entries']!.counts.inserted === settings.records,
    `it inserted ${report.streams['entries']!.counts.inserted} of ${settings.records}`,
  )
  return report.ms
}

/**
 * A backfill that is killed again and again, continued with the same words, beside live runs and with entries that
 * change at the source while an old version of them is on its way. Then the table is compared with the source, row by
 * row. Throws what does not hold; tells what was seen.
 */
export async function prove(url: string, settings: ProofSettings, tell: (line: string) => void): Promise<void> {
  const random = seeded(settings.seed)
  await using api = await openApi(settings)
  const place: Place = { url, api: api.url, children: new Set() }
  const stop = new AbortController()
  // However it ends, nothing of it goes on.
  let living: Promise<number> = Promise.resolve(0)
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      for (const child of place.children) child.kill('SIGKILL')
      await living.catch(() => {})
    },
  }
  await using database = new Database({ url, max: 3 })

  const end = new Date(START + settings.days * 86_400_000).toISOString()
  const dry = await ended(start(place, [...words(settings), '--dry-run', '--json']))
  const [plan] = JSON.parse(dry.stdout) as BackfillPlan[]
  must(
    dry.code === 0 && plan!.toRead === settings.days && plan!.windows.length === settings.days,
    `the dry run shows ${settings.days} windows`,
  )
  tell(`dry run: ${plan!.toRead} windows from ${plan!.from} to ${plan!.to}, nothing asked`)

  // The stream has come this far by earlier runs; and each move of its cursor is written down.
  must((await ended(start(place, ['migrate']))).code === 0, 'schema sluice was made')
  await database.query(`insert into sluice.cursors (pipeline, stream, value) values ('fill', 'entries', $1)`, [end])
  await database.query('create table public.moves (kind text, value text)')
  await database.query(
    `create function public.moved() returns trigger language plpgsql as $$ begin
       insert into public.moves select (select kind from sluice.slices where id = new.slice), new.value;
       return null; end $$`,
  )
  await database.query(
    'create trigger moved after insert or update on sluice.cursors for each row execute function public.moved()',
  )

  living = (async () => {
    let runs = 0
    for (; !stop.signal.aborted; runs += 1) {
      const { code, stderr } = await ended(start(place, ['run', PIPELINE, '--json', '--overlap', 'skip']))
      must(code === 0, `live run ${runs + 1} ended with ${code}: ${stderr}`)
      await sleep(settings.liveEvery, undefined, { signal: stop.signal }).catch(() => {})
    }
    return runs
  })()
  living.catch(() => {})

  const done = async (): Promise<number> => {
    const [row] = await database.query<{ done: string }>(
      `select count(*) as done from sluice.slices where kind = 'backfill' and status = 'done'`,
    )
    return Number(row!.done)
  }
  let killed = 0
  for (const share = settings.days / (settings.kills + 1); killed < settings.kills; killed += 1) {
    const child = start(place, [...words(settings), '--concurrency', String(settings.atOnce), '--json'])
    child.stdout!.resume()
    const enough = Math.max(await done(), Math.floor((killed + random()) * share))
    while ((await done()) <= enough && child.exitCode === null) await sleep(5)
    must(child.exitCode === null, `backfill ${killed + 1} was killed before its end; it ended with ${child.exitCode}`)
    await sleep(random() * 40)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const middle = await done()
  const last = await ended(start(place, [...words(settings), '--concurrency', String(settings.atOnce), '--json']))
  must(last.code === 0, `the last backfill ended with ${last.code}: ${last.stderr}`)
  tell(`killed ${killed} times, the last time with ${middle} of ${settings.days} windows done; then done`)

  await api.get('/still?changes=false')
  stop.abort()
  const lives = await living
  must((await ended(start(place, ['run', PIPELINE, '--json']))).code === 0, 'the last live run is done')

  const changed = (await api.get('/changed')) as Entry[]
  await compare(database, settings, changed)
  tell(
    `the table equals the source: ${settings.records} rows, ` +
      `${changed.length} of them changed during the backfill, beside ${lives} syncs`,
  )
  await chain(database, settings)
  tell(
    `the map is complete: ${settings.days} windows done without a gap; ` +
      'a gap and an overlap made by hand are refused',
  )
  const moves = await database.query<{ kind: string; value: string }>('select kind, value from public.moves')
  must(
    moves.length > 0 && moves.every(({ kind }) => kind === 'sync'),
    `the cursor was moved by live runs alone: ${JSON.stringify(moves.slice(0, 5))}`,
  )
  tell(`the cursor was moved ${moves.length} times, by live runs alone`)
}

async function compare(database: Database, settings: ProofSettings, changed: readonly Entry[]): Promise<void> {
  const newest = new Map(changed.map((entry) => [entry.id, entry]))
  const step = 50_000
  for (let from = 0; from < settings.records; from += step) {
    const rows = await database.query<{ id: string; name: string; revision: string; updated: Date }>(
      'select id, name, revision, updated_at as updated from t.entries where id >= $1 and id < $2 order by id',
      [from, from + step],
    )
    must(rows.length === Math.min(step, settings.records - from), `${rows.length} rows from ${from} on`)
    for (const [at, { id, name, revision, updated }] of rows.entries()) {
      const expected = newest.get(from + at) ?? original(from + at, settings)
      const found = { id: Number(id), name, revision: Number(revision), updated_at: updated.toISOString() }
      must(
        JSON.stringify(found) === JSON.stringify(expected),
        `row ${id} is ${JSON.stringify(found)} and at the source ${JSON.stringify(expected)}`,
      )
    }
  }
  const [row] = await database.query<{ count: string }>('select count(*) from t.entries')
  must(Number(row!.count) === settings.records, `the table has ${row!.count} rows`)
}

async function chain(database: Database, settings: ProofSettings): Promise<void> {
  const [backfill, ...others] = await overviewBackfills(database)
  must(backfill !== undefined && others.length === 0, 'there is one backfill')
  const windows = await readWindows(database, backfill!.id)
  must(windows.length === settings.days && windows.every(({ status }) => status === 'done'), 'all windows are done')
  must(
    windows.every(
      ({ lower, upper }, index) =>
        lower.getTime() === START + index * 86_400_000 && upper.getTime() === START + (index + 1) * 86_400_000,
    ),
    'each is its day',
  )
  for (const [what, lower, upper, after] of [
    ['a gap', 2, 3, 2],
    ['an overlap', 0.5, 1.5, 0.5],
    ['a second start', -1, 0, null],
  ] as const) {
    const at = (days: number): string => new Date(windows.at(-1)!.upper.getTime() + days * 86_400_000).toISOString()
    const previous = after === null ? null : at(after)
    const previousUpper = what === 'an overlap' ? NOON : previous
    const refused = await database
      .query(
        `insert into sluice.slices
           (kind, pipeline, stream, started_by, run, definition, backfill, lower, upper, previous_upper)
         select 'backfill', pipeline, stream, run, run, '', backfill, $2, $3, $4 from sluice.slices where id = $1`,
        [
          windows[0]!.slice,
          what === 'an overlap' ? NOON : at(lower),
          what === 'an overlap' ? new Date(START + 86_400_000).toISOString() : at(upper),
          previousUpper,
        ],
      )
      .then(
        () => false,
        () => true,
      )
    must(refused, `${what} made by hand is refused`)
  }
}
