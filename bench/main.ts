// npm run bench -- [records] [rounds]    the speed of whole runs of `sluice run`, beside the limit of the machine, in
// one session.
//
// The yardstick is COPY of the finished bytes through pg-copy-streams into the same empty table: the limit of one
// connection of this PostgreSQL. Each measurement alternates with it, so that other load of the machine affects both.
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

  /** Measures the wall time of some work, and the processor time that the database uses during it. */
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
  /** Runs once, and keeps the rows of the table as the finished bytes. */
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
    `\n${records.toLocaleString('en-US')} records, medians of ${rounds}; ` +
      'PostgreSQL with default durability; processor µs a row\n',
  )
  console.log('                                            rows/s   of COPY   node  database   both')
  for (const [name, { ours, limit }] of results) {
    const ratio = median(ours.map(({ seconds }, round) => limit[round]!.seconds / seconds))
    console.log(resultLine(name, ours, ratio))
    console.log(resultLine('  COPY of the finished bytes', limit, 1))
  }
  console.log(`\nLoaders as they are usually written, ${usual.toLocaleString('en-US')} records, pages of 1,000:`)
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

function resultLine(name: string, measured: readonly Measured[], ratio: number): string {
  const rate = Math.round(records / median(measured.map(({ seconds }) => seconds))).toLocaleString('en-US')
  const perRow = (seconds: (one: Measured) => number): string =>
    ((median(measured.map(seconds)) * 1e6) / records).toFixed(1)
  return [
    `${name.padEnd(42)} ${rate.padStart(8)}`,
    ratio.toFixed(2).padStart(7),
    perRow(({ node }) => node).padStart(5),
    perRow(({ database }) => database).padStart(8),
    perRow(({ node, database }) => node + database).padStart(5),
  ].join('  ')
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

function* chunked(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
