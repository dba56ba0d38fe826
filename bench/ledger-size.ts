// node bench/ledger-size.ts [slices] [runs] [rounds]    whether a large ledger makes anything slower: a run, the
// status, the list of runs and the summary of the server, each with three ledgers in turns: an almost empty one, a
// small one (a hundred runs of each pipeline, so that the lists are full), and one of that size. Prints milliseconds,
// and the pages of the database that each reads, which do not depend on what else the machine does. Also prints what a
// run leaves in the ledger, in bytes. There may be more slices than asked for: each run has the same number of them.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, type Database } from '../src/database/database.ts'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { http, onePage, pipeline, serve, since } from '../src/index.ts'
import { readKnownStreams } from '../src/ledger/read/read-known-streams.ts'
import { readRuns } from '../src/ledger/read/read-runs.ts'
import { takeGivenUp } from '../src/ledger/slices/given-up-jobs.ts'
import { runPipeline } from '../src/run/run-pipeline.ts'
import { readPipelineStatus } from '../src/run/status/status.ts'
import { fillLedger } from './ledger-fill.ts'

const [slices = 101_000, runs = 20_000, rounds = 9] = process.argv.slice(2).map(Number)
type Size = 'empty' | 'small' | 'large'
const SIZES: readonly Size[] = ['empty', 'small', 'large']
/** A session that is idle tells its statistics within this time. */
const FLUSH_MS = 11_000
const STREAMS = ['one', 'two', 'three', 'four', 'five']
/** Runs that are measured in bytes. */
const SAMPLE = 60

const fields = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`field_${n}`, `value ${n}`]))
const api = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://api')
  const now = new Date().toISOString()
  const rows = pathname === '/empty' && searchParams.has('since') ? [] : [{ id: 1, updated_at: now, ...fields }]
  response.setHeader('content-type', 'application/json').end(JSON.stringify(rows))
})
await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
const source = http(`http://127.0.0.1:${(api.address() as AddressInfo).port}`)
const pipelines = ['north', 'south', 'east', 'west'].map((name) =>
  pipeline(name, {
    schedule: '* * * * *',
    streams: Object.fromEntries(
      STREAMS.map((stream, n) => [
        stream,
        source
          .get<{ id: number; updated_at: string }[]>(n < 2 ? '/rows' : '/empty', n < 4 ? { since } : {})
          .pages(onePage())
          .records()
          .incremental('updated_at')
          .into(`${name}.${stream}`, { key: 'id' }),
      ]),
    ),
  }),
)
const [north] = pipelines

const directory = mkdtempSync(join(tmpdir(), 'sluice-ledger-'))
try {
  await using server = await embeddedDatabase({
    dir: directory,
    // It is thrown away, so nothing has to survive a crash.
    durable: false,
    settings: {
      max_wal_size: '8GB',
      shared_buffers: '1GB',
      maintenance_work_mem: '512MB',
      synchronous_commit: 'off',
    },
  })
  const urlOf = (name: string): string => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  {
    await using admin = await openDatabase({ url: server.url })
    for (const name of SIZES) await admin.query(`create database ${name}`)
  }
  for (const name of SIZES)
    for (const one of [...pipelines, ...pipelines]) await runPipeline(one, { database: urlOf(name) })
  await using empty = await openDatabase({ url: urlOf('empty') })
  await using small = await openDatabase({ url: urlOf('small') })
  await using large = await openDatabase({ url: urlOf('large') })
  await measureBytes(empty, urlOf('empty'))
  const start = performance.now()
  const filled = await fillLedger(large, { slices, runs }, (line) =>
    console.log(`  ${Math.round((performance.now() - start) / 1000)} s: ${line}`),
  )
  const { size } = await large.one<{ size: string }>(
    `select pg_size_pretty(sum(pg_total_relation_size(oid))) as size from pg_class
      where relnamespace = 'sluice'::regnamespace and relkind = 'r'`,
  )
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`filled with ${filled.slices} slices and ${filled.runs} runs in ${seconds} s: ${size}`)

  await fillLedger(small, { slices: 2_000, runs: 400 })

  const databases = { empty, small, large }
  await using servedEmpty = await serve(pipelines, { database: urlOf('empty'), port: 0 })
  await using servedSmall = await serve(pipelines, { database: urlOf('small'), port: 0 })
  await using servedLarge = await serve(pipelines, { database: urlOf('large'), port: 0 })
  const servers = { empty: servedEmpty, small: servedSmall, large: servedLarge }
  const pagesOf = async (size: Size): Promise<number> => {
    const { pages } = await databases[size].one<{ pages: string }>(
      'select blks_hit + blks_read as pages from pg_stat_database where datname = current_database()',
    )
    return Number(pages)
  }
  const asked: Record<string, (size: Size) => Promise<unknown>> = {
    run: (size) => runPipeline(north!, { database: urlOf(size) }),
    status: (size) => readPipelineStatus(pipelines, { database: urlOf(size) }),
    runs: (size) => readRuns(databases[size]),
    'runs north': (size) => readRuns(databases[size], { pipeline: 'north' }),
    'runs failed': (size) => readRuns(databases[size], { status: 'failed' }),
    'given-up jobs': (size) =>
      takeGivenUp(databases[size], { pipeline: 'north', stream: 'one' }, new AbortController().signal),
    'known streams': (size) => readKnownStreams(databases[size]),
    summary: async (size) => (await fetch(`${servers[size].url}/api/summary`)).json(),
    metrics: async (size) => (await fetch(`${servers[size].url}/metrics`)).text(),
  }
  const columns = SIZES.flatMap((size) => [`${size} ms`, 'pages'])
  console.log(`\n${''.padEnd(14)}${columns.map((name) => name.padStart(10)).join('')}   large : small, : empty`)
  for (const [name, ask] of Object.entries(asked)) {
    // The first one fills caches.
    for (const size of SIZES) await ask(size)
    await sleep(FLUSH_MS)
    const times = { empty: [] as number[], small: [] as number[], large: [] as number[] }
    const before = { empty: await pagesOf('empty'), small: await pagesOf('small'), large: await pagesOf('large') }
    for (let round = 0; round < rounds; round += 1)
      for (const size of round % 2 === 0 ? SIZES : SIZES.toReversed()) {
        const began = performance.now()
        await ask(size)
        times[size].push(performance.now() - began)
      }
    await sleep(FLUSH_MS)
    const cells: string[] = []
    for (const size of SIZES) {
      const pages = ((await pagesOf(size)) - before[size]) / rounds
      cells.push(median(times[size]).toFixed(1).padStart(10), Math.round(pages).toString().padStart(10))
    }
    const ratio = (to: Size): string => (median(times.large) / median(times[to])).toFixed(2)
    console.log(`${name.padEnd(14)}${cells.join('')}   ${ratio('small').padStart(13)}${ratio('empty').padStart(9)}`)
  }
} finally {
  api.close()
  rmSync(directory, { recursive: true, force: true })
}

/** Prints what a run of five streams leaves in each table. */
async function measureBytes(database: Database, url: string): Promise<void> {
  const sizes = (): Promise<{ name: string; bytes: string }[]> =>
    database.query(
      `select relname as name, pg_total_relation_size(oid) as bytes from pg_class
        where relnamespace = 'sluice'::regnamespace and relkind = 'r' order by 1`,
    )
  const before = new Map((await sizes()).map(({ name, bytes }) => [name, Number(bytes)]))
  for (let n = 0; n < SAMPLE; n += 1) await runPipeline(north!, { database: url })
  await database.query('vacuum')
  for (const { name, bytes } of await sizes()) {
    const per = (Number(bytes) - (before.get(name) ?? 0)) / SAMPLE
    if (per > 0) console.log(`${name}: ${Math.round(per)} bytes a run of ${STREAMS.length} streams`)
  }
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]!
}
