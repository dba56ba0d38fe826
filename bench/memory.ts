// npm run memory -- [few] [many]    the peak of resident memory of a run, with few and with many records. It should
// not grow with their number.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { PgProxy } from '../test/support/pg-proxy.ts'
import { startApi } from './api-process.ts'
import { runSluice } from './sluice.ts'

const few = Number(process.argv[2] ?? 100_000)
const many = Number(process.argv[3] ?? 1_000_000)

const column = (text: string): string => text.padStart(10)

const directory = mkdtempSync(join(tmpdir(), 'sluice-memory-'))
try {
  await using server = await embeddedDatabase({ dir: directory, settings: { max_wal_size: '8GB' } })
  using api = await startApi(many, 1000, 100)
  const peak = async (url: string, shape: string, records: number, page: string): Promise<number> => {
    const client = new Client(server.url)
    await client.connect()
    await client.query('drop schema if exists bench cascade')
    await client.end()
    const { report } = await runSluice(url, {
      BENCH_API: api.origin,
      BENCH_SHAPE: shape,
      BENCH_RECORDS: String(records),
      BENCH_PAGE: page,
    })
    return report.peakMemoryBytes / 1e6
  }
  const heads = [few, many].map((records) => column(records.toLocaleString('en-US'))).join(' ')
  console.log(`peak resident memory of the process, MB\n\n${''.padEnd(36)} ${heads}  difference`)
  for (const [name, shape, page] of [
    ['one stream, pages of 1,000', 'one', '1000'],
    ['one stream, pages of 100', 'one', '100'],
    ['five streams at once', 'five', '1000'],
    ['children, eight at once', 'children', '1000'],
  ] as const) {
    const [less, more] = [await peak(server.url, shape, few, page), await peak(server.url, shape, many, page)]
    const growth = (100 * (more / less - 1)).toFixed(0).padStart(8)
    console.log(`${name.padEnd(36)} ${column(less.toFixed(0))} ${column(more.toFixed(0))}  ${growth} %`)
  }
  await using proxy = await PgProxy.open({ port: Number(new URL(server.url).port), toServer: 1e6 })
  for (const [name, shape] of [
    ['one stream, 1 MB/s to PostgreSQL', 'one'],
    ['children, 1 MB/s to PostgreSQL', 'children'],
  ] as const) {
    const records = Math.min(few, 100_000)
    const most = await peak(proxy.through(server.url), shape, records, '1000')
    console.log(`${name.padEnd(36)} ${column(most.toFixed(0))}   (${records.toLocaleString('en-US')} records)`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
