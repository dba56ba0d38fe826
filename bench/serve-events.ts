// npm run serve-proof -- [records] [rounds] [rows]    the cost of clients to a run, and of an export to the server.
//
// Runs alternate: one without clients, one with 100 clients of the events. 10 of the clients do not read, and one is
// cut off all the time. Then a table is exported to a slow reader, and to a reader that leaves.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { startApi } from './api-process.ts'
import { runSluice } from './sluice.ts'

const records = Number(process.argv[2] ?? 300_000)
const rounds = Number(process.argv[3] ?? 5)
const rows = Number(process.argv[4] ?? 500_000)
const faults: string[] = []
const must = (isSo: boolean, what: string): void => {
  console.log(`${isSo ? 'ok    ' : 'BROKEN'} ${what}`)
  if (!isSo) faults.push(what)
}
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const directory = mkdtempSync(join(tmpdir(), 'sluice-serve-'))
try {
  await using database = await embeddedDatabase({ dir: directory, settings: { max_wal_size: '8GB' } })
  using api = await startApi(records, 1000)
  const client = new Client(database.url)
  await client.connect()
  const run = async (): Promise<number> => {
    await client.query('drop schema if exists bench cascade; checkpoint')
    return (
      await runSluice(database.url, { BENCH_API: api.origin, BENCH_PAGE: '1000', BENCH_RECORDS: String(records) })
    ).report.ms
  }
  const lastEvent = async (): Promise<string> =>
    (await client.query<{ id: string }>('select coalesce(max(id), 0)::text as id from sluice.events')).rows[0]!.id

  await run() // Creates the schema, and warms everything up.
  const times = { alone: [] as number[], watched: [] as number[] }
  let most = 0
  let [lost, doubled, cuts, events] = [0, 0, 0, 0]
  for (let round = 0; round < rounds; round += 1) {
    // The order alternates, so that other load of the machine affects both.
    const isFirst = round % 2 === 0
    if (isFirst) times.alone.push(await run())
    const server = await startServer(database.url)
    const before = await server.rss()
    const start = await lastEvent()
    const watchers = fork(new URL('watchers.ts', import.meta.url), [server.url, '90', '10', start])
    await once(watchers, 'message')
    using peak = server.watch()
    times.watched.push(await run())
    const wanted = (
      await client.query<{ id: string }>('select id::text from sluice.events where id > $1 order by sluice.events.id', [
        start,
      ])
    ).rows.map(({ id }) => id)
    watchers.send(wanted.at(-1)!)
    const [{ seen, cuts: cut }] = (await once(watchers, 'message')) as [{ seen: string[][]; cuts: number }]
    for (const ids of seen) {
      const one = new Set(ids)
      doubled += ids.length - one.size
      lost += wanted.filter((id) => !one.has(id)).length
    }
    cuts += cut
    events += wanted.length
    most = Math.max(most, peak.most - before)
    await server.end()
    if (!isFirst) times.alone.push(await run())
    console.log(
      `round ${round + 1}: alone ${times.alone.at(-1)} ms, watched ${times.watched.at(-1)} ms, ` +
        `${wanted.length} events, ${cut} cuts, the server grew by ${mega(peak.most - before)}`,
    )
  }
  const growth = median(times.watched) / median(times.alone) - 1
  must(
    lost === 0 && doubled === 0,
    `${events} events to 90 readers, one of them cut off ${cuts} times: ${lost} lost, ${doubled} doubled`,
  )
  must(
    growth < 0.05,
    `a run of ${records.toLocaleString('en-US')} records takes ${median(times.alone)} ms alone and ` +
      `${median(times.watched)} ms with 100 clients: ${(growth * 100).toFixed(1)} % (medians of ${rounds})`,
  )
  must(most < 100e6, `the server grows by ${mega(most)} at most with 100 clients, 10 of them not reading`)

  await client.query(
    `drop schema if exists bench cascade;
     create schema bench;
     create table bench.issues as
       select n as id, md5(n::text) as title, repeat(md5((n * 7)::text), 6) as body,
         n * 1.000000000000000000001 as exact
       from generate_series(1, ${rows}) as n`,
  )
  const server = await startServer(database.url)
  // The first response loads modules, which the export must not be charged for.
  await (await open(server.url)).leave()
  await sleep(500)
  const before = await server.rss()
  using peak = server.watch()
  const slow = await open(server.url)
  const began = performance.now()
  let [bytes, lines] = [0, 0]
  for await (const chunk of slow.answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    for (const byte of chunk) if (byte === 10) lines += 1
    // The reader takes 12 MB a second.
    await sleep(Math.max(0, (bytes / 12e6) * 1_000 - (performance.now() - began)))
  }
  must(
    lines === rows,
    `an export of ${lines.toLocaleString('en-US')} rows, ${mega(bytes)}, to a reader of 12 MB/s ` +
      `took ${((performance.now() - began) / 1_000).toFixed(1)} s`,
  )
  must(peak.most - before < 50e6, `the server's memory grows by ${mega(peak.most - before)} during the export`)
  const leaving = await open(server.url)
  await once(leaving.answer, 'readable')
  await sleep(500)
  const held = async (): Promise<number> =>
    (
      await client.query(
        `select from pg_stat_activity
         where xact_start is not null and query like '%fetch_lines(%' and pid <> pg_backend_pid()`,
      )
    ).rowCount ?? 0
  const wasHeld = await held()
  await leaving.leave()
  const left = performance.now()
  while ((await held()) > 0 && performance.now() - left < 10_000) await sleep(5)
  const took = performance.now() - left
  must(wasHeld === 1 && took < 1_000, `when the reader leaves, its query ends after ${Math.round(took)} ms`)
  await server.end()
  await client.end()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
if (faults.length > 0) process.exitCode = 1

async function open(url: string): Promise<{ readonly answer: IncomingMessage; readonly leave: () => Promise<void> }> {
  const request = get(`${url}/api/streams/bench/issues/records`, { agent: false })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return {
    answer,
    leave: async () => {
      answer.on('error', () => {}).destroy()
      await sleep(0)
    },
  }
}

interface MeasuredServer {
  readonly url: string
  readonly rss: () => Promise<number>
  /** Samples the peak of resident memory every 100 ms until it is disposed. */
  readonly watch: () => { readonly most: number } & Disposable
  readonly end: () => Promise<void>
}

async function startServer(database: string): Promise<MeasuredServer> {
  const child: ChildProcess = fork(new URL('serve-process.ts', import.meta.url), [database], {
    execArgv: ['--max-semi-space-size=16'],
    env: { ...process.env, BENCH_PAGE: '1000' },
  })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  const rss = async (): Promise<number> => {
    const reply = once(child, 'message') as Promise<[{ rss: number }]>
    child.send('rss')
    return (await reply)[0].rss
  }
  return {
    url,
    rss,
    watch() {
      const peak = { most: 0, isOver: false, [Symbol.dispose]: () => void (peak.isOver = true) }
      const look = async (): Promise<void> => {
        while (!peak.isOver && child.connected) {
          peak.most = Math.max(peak.most, await rss())
          await sleep(100)
        }
      }
      void look().catch(() => {})
      return peak
    },
    end: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
