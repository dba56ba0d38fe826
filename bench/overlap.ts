// node bench/overlap.ts [records] [rounds]    what the overlap of offsets costs: the processor time of
// `sluice run` with and without it, in turns, and the share of it that is spent on lists that move and on completeness.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { startApi } from './api-process.ts'
import { runSluice } from './sluice.ts'

const records = Number(process.argv[2] ?? 200_000)
const rounds = Number(process.argv[3] ?? 7)
/** The files that answer whether a reading was complete, and what happens to a list that moves. */
const ASKED = /\/src\/source\/(moving\/|paging\/(grade|different-keys|missing-|stated-|reading-|seen-|skipped-|loop-))/

/** What they call: hashes, texts of keys, and what the runtime has built in. */
const CALLED = /^(node:|$)|\/src\/(value\/|source\/response-value)/

interface Node {
  readonly id: number
  readonly callFrame: { readonly url: string; readonly functionName: string }
  readonly children?: readonly number[]
}
interface Profile {
  readonly nodes: readonly Node[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** The share of the profile's busy time that is spent in the files, with what they call. */
function shareOf(file: string): number {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const isBelow = (id: number | undefined): boolean =>
    id !== undefined &&
    (ASKED.test(frames.get(id)!.url) || (CALLED.test(frames.get(id)!.url) && isBelow(parents.get(id))))
  let busy = 0
  let asked = 0
  for (const [n, id] of samples.entries()) {
    if (['(idle)', '(program)'].includes(frames.get(id)!.functionName)) continue
    busy += timeDeltas[n]!
    if (isBelow(id)) asked += timeDeltas[n]!
  }
  return asked / busy
}

const median = (of: readonly number[]) => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]!
const directory = mkdtempSync(join(tmpdir(), 'sluice-overlap-'))
try {
  await using server = await embeddedDatabase({ dir: directory, settings: { max_wal_size: '8GB' } })
  using api = await startApi(records, 1000)
  const client = new Client(server.url)
  // An error that follows the end of the server must not hide the error that ended the measurement.
  client.on('error', () => {})
  await client.connect()
  const run = async (page: number, paging: string, profile?: string) => {
    await client.query('drop table if exists bench.issues')
    const { report, processorTime } = await runSluice(
      server.url,
      {
        BENCH_API: api.origin,
        BENCH_PAGE: String(page),
        BENCH_RECORDS: String(records),
        BENCH_PAGING: paging,
      },
      profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [],
    )
    const stored = report.streams['issues']!.counts.inserted
    if (stored !== records) throw new Error(`the run stored ${stored} records instead of ${records}`)
    return processorTime
  }
  for (const page of [100, 1000]) {
    const ratios: number[] = []
    await run(page, 'overlap')
    for (let round = 0; round < rounds; round++) {
      // The order changes, so that a machine that grows slower favours neither.
      const first = round % 2 === 0 ? 'overlap' : 'plain'
      const times = { overlap: 0, plain: 0 }
      times[first] = await run(page, first)
      const second = first === 'overlap' ? 'plain' : 'overlap'
      times[second] = await run(page, second)
      ratios.push(times.overlap / times.plain)
    }
    const profiles = join(directory, `profiles-${page}`)
    await run(page, 'overlap', profiles)
    const share = Math.max(...readdirSync(profiles).map((name) => shareOf(join(profiles, name))))
    console.log(
      `pages of ${page}: processor time with overlap / without = ${median(ratios).toFixed(3)}` +
        ` (${ratios
          .toSorted((a, b) => a - b)
          .map((ratio) => ratio.toFixed(3))
          .join(' ')});` +
        ` files of completeness and moving lists ${(share * 100).toFixed(2)} %`,
    )
  }
  await client.end()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
