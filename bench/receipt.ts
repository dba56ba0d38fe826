// npm run receipt -- [rows]    what a run costs the database in each write mode: the first fill of a table, and runs in
// which nothing, 1 % of the rows, and all of them have changed. Figures are those of `sluice run --receipt`.
//
// Between the runs the table is vacuumed. No checkpoint comes in between, so there are no full-page images in the WAL.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../src/database/database.ts'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { pipeline, source, type TableOptions } from '../src/index.ts'
import { runPipeline } from '../src/run/run-pipeline.ts'

const [rows = 1_000_000] = process.argv.slice(2).map(Number)
const PAGE = 1_000

interface Row {
  readonly id: number
  readonly email: string
  readonly name: string
  readonly amount: number
  readonly created: string
  readonly is_active: boolean
  readonly tags: readonly string[]
  readonly version: number
}

type Options = TableOptions<Row, 'merge'>
const MODES: Readonly<Record<string, Options>> = {
  merge: { key: 'id' },
  mirror: { key: 'id', mirror: true },
  history: { key: 'id', write: 'history' } as unknown as Options,
  'replace by key': { key: 'id', write: 'replace' } as unknown as Options,
  replace: { write: 'replace' } as unknown as Options,
  'append by key': { key: 'id', write: 'append' } as unknown as Options,
}
/** Runs after each other, with the rows that differ from those of the run before: every so many-th. */
const RUNS: readonly (readonly [name: string, every: number])[] = [
  ['first fill', Infinity],
  ['unchanged', Infinity],
  ['1 % changed', 100],
  ['all changed', 1],
]

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
const print = (cells: readonly string[]): void => {
  const [first = '', second = '', ...more] = cells
  console.log(first.padEnd(16) + second.padEnd(12) + more.map((cell) => cell.padStart(12)).join(''))
}

const directory = mkdtempSync(join(tmpdir(), 'sluice-receipt-'))
try {
  await using server = await embeddedDatabase({
    dir: directory,
    settings: { max_wal_size: '64GB', checkpoint_timeout: '1d', autovacuum: 'off' },
  })
  await using database = await openDatabase({ url: server.url })
  print([
    'write',
    'run',
    's',
    'inserted',
    'updated',
    'unchanged',
    'dead rows',
    'table MB',
    'to',
    'indexes MB',
    'to',
    'WAL MB',
  ])
  for (const [mode, options] of Object.entries(MODES)) {
    const versions = new Uint8Array(rows + 1)
    const all = source<Row>(async function* () {
      for (let from = 1; from <= rows; from += PAGE) {
        const length = Math.min(PAGE, rows + 1 - from)
        yield { records: Array.from({ length }, (_, index) => rowOf(from + index, versions[from + index]!)) }
      }
    })
    const name = mode.replaceAll(' ', '_')
    const flow = pipeline(name, { streams: { rows: all.into(`bench.${name}`, options) } })
    for (const [change, every] of RUNS) {
      for (let id = every; id <= rows; id += every) versions[id]! += 1
      const report = await runPipeline(flow, { database: server.url, receipt: true })
      const { status, error, ms, counts, receipt } = report.streams.rows
      if (status !== 'done') throw new Error(error)
      const { dead = 0, tableBytes, indexBytes, serverWalBytes } = receipt ?? {}
      print([
        mode,
        change,
        (ms / 1_000).toFixed(1),
        ...[counts.inserted, counts.updated, counts.unchanged + counts.duplicate, dead].map((count) =>
          count.toLocaleString('en-US'),
        ),
        ...[tableBytes?.before, tableBytes?.after, indexBytes?.before, indexBytes?.after].map((bytes) =>
          bytes === undefined ? '' : megabytes(bytes),
        ),
        // Without a receipt the stream has written no row; the ledger has.
        megabytes(serverWalBytes ?? report.walBytes ?? 0),
      ])
      await database.query(`vacuum analyze bench.${name}`)
    }
    await database.query(`drop table bench.${name} cascade`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function rowOf(id: number, version: number): Row {
  return {
    id,
    email: `person-${id}@example.org`,
    name: `Person Number ${id}`,
    amount: (id * 7) % 100_000,
    created: new Date(1_700_000_000_000 + id * 1_000).toISOString(),
    is_active: id % 3 === 0,
    tags: ['one', `tag-${id % 100}`],
    version,
  }
}
