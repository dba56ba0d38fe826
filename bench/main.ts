// npm run bench -- [records] [rounds]    how fast whole runs of `sluice run` are, beside the machine's own limit, in
// one session.
//
// The yardstick is COPY of the finished bytes through pg-copy-streams into the same table, emptied: what one connection
// of this PostgreSQL can take. Everything alternates with it, so that what else the machine does hits both alike.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline as piped } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { Client } from 'pg'
import copyStreams from 'pg-copy-streams'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { startApi } from './api-process.ts'
import { processorTime } from './processor-time.ts'
import { runSluice } from './sluice.ts'
import { usualWay, type Way } from './usual-ways.ts'

const records = Number(process.argv[2] ?? 1_000_000)
const rounds = Number(process.argv[3] ?? 5)
const usual = Math.min(20_000, records)

interface Measured {
  readonly seconds: number
  /** Processor seconds. */
  readonly node: number
  readonly database: number
}

const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
try {
  await using server = await embeddedDatabase({ dir: directory, settings: { max_wal_size: '8GB' } })
  const postmaster = Number(readFileSync(join(directory, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
  using api = await startApi(records, 1000, 100)
  const client = new Client(server.url)
  await client.connect()

  /** Everything that happens meanwhile, in processor time of the database and wall time of the whole process. */
  const timed = async (work: () => Promise<number>): Promise<Measured> => {
    await client.query('checkpoint')
    const before = processorTime(postmaster)
    const began = performance.now()
    const node = await work()
    return { seconds: (performance.now() - began) / 1_000, node, database: processorTime(postmaster) - before }
  }
  const sluice = (write: string, page: number) =>
    timed(async () => {
      const { report, processorTime } = await runSluice(server.url, {
        BENCH_API: api.origin,
        BENCH_PAGE: String(page),
        BENCH_RECORDS: String(records),
        BENCH_WRITE: write,
      })
      if (report.streams['issues']!.counts.fetched !== records)
        throw new Error(`the run read ${report.streams['issues']!.counts.fetched} records instead of ${records}`)
      return processorTime
    })
  let finished: Buffer[] = []
  const yardstick = () =>
    timed(async () => {
      const before = process.cpuUsage()
      await piped(Readable.from(finished), client.query(copyStreams.from('copy bench.issues from stdin')))
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1e6
    })

  const results = new Map<string, { ours: Measured[]; limit: Measured[] }>()
  const measure = async (name: string, write: string, page: number, { empty }: { empty: boolean }): Promise<void> => {
    const { ours, limit } = results.get(name) ?? { ours: [], limit: [] }
    await client.query('truncate bench.issues')
    if (!empty) await sluice(write, 1000)
    const own = await sluice(write, page)
    await client.query('truncate bench.issues')
    results.set(name, { ours: [...ours, own], limit: [...limit, await yardstick()] })
    console.log(`${name}: ${own.seconds.toFixed(2)} s`)
  }
  /** The finished bytes are what stands in the table after a run. */
  const prepare = async (write: string): Promise<void> => {
    await client.query('drop table if exists bench.issues')
    await sluice(write, 1000)
    finished = await Array.fromAsync(
      client.query(copyStreams.to('copy bench.issues to stdout')) as AsyncIterable<Buffer>,
    )
    finished = [...chunked(Buffer.concat(finished), 1 << 20)]
  }

  await prepare('merge')
  for (let round = 0; round < rounds; round += 1) {
    await measure('merge into an empty table, pages of 1,000', 'merge', 1000, { empty: true })
    await measure('merge into an empty table, pages of 100', 'merge', 100, { empty: true })
    await measure('merge, all unchanged, pages of 1,000', 'merge', 1000, { empty: false })
  }
  await prepare('append')
  for (let round = 0; round < rounds; round += 1)
    await measure('append, pages of 1,000', 'append', 1000, { empty: true })

  console.log(
    `\n${records.toLocaleString('en-US')} records, medians of ${rounds}; PostgreSQL with default durability; processor µs a row\n`,
  )
  console.log('                                            rows/s   of COPY   node  database   both')
  for (const [name, { ours, limit }] of results) {
    const of = (list: readonly Measured[], what: (one: Measured) => number): number => median(list.map(what))
    const perRow = (value: number): string => ((value * 1e6) / records).toFixed(1)
    const ratio = median(ours.map(({ seconds }, round) => limit[round]!.seconds / seconds))
    console.log(
      `${name.padEnd(42)} ${Math.round(records / of(ours, ({ seconds }) => seconds))
        .toLocaleString('en-US')
        .padStart(
          8,
        )}  ${ratio.toFixed(2).padStart(7)}  ${perRow(of(ours, ({ node }) => node)).padStart(5)}  ${perRow(of(ours, ({ database }) => database)).padStart(8)}  ${perRow(of(ours, ({ node, database }) => node + database)).padStart(5)}`,
    )
    console.log(
      `${'  COPY of the finished bytes'.padEnd(42)} ${Math.round(records / of(limit, ({ seconds }) => seconds))
        .toLocaleString('en-US')
        .padStart(
          8,
        )}     1.00  ${perRow(of(limit, ({ node }) => node)).padStart(5)}  ${perRow(of(limit, ({ database }) => database)).padStart(8)}  ${perRow(of(limit, ({ node, database }) => node + database)).padStart(5)}`,
    )
  }
  console.log(`\nWhat is usually written, ${usual.toLocaleString('en-US')} records, pages of 1,000:`)
  for (const way of ['row by row', 'page by page'] satisfies Way[]) {
    const seconds: number[] = []
    for (let round = 0; round < rounds; round += 1)
      seconds.push(await usualWay(way, { url: server.url, api: api.origin, size: 1000, records: usual }))
    console.log(
      `${way.padEnd(42)} ${Math.round(usual / median(seconds))
        .toLocaleString('en-US')
        .padStart(8)} rows/s`,
    )
  }
  const help: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now()
    await once(
      spawn(process.execPath, ['src/cli/main.ts', '--help'], { cwd: join(import.meta.dirname, '..'), stdio: 'ignore' }),
      'exit',
    )
    help.push(performance.now() - began)
  }
  console.log(`\nsluice --help: ${Math.round(median(help))} ms`)
  await client.end()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

function* chunked(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
