import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/database/database.ts'
import type { Postgres } from '../kill/postgres.ts'
import {
  budgetKept,
  everyRecordOnce,
  hostsAsked,
  mapComplete,
  noSliceWrittenByTwo,
  writeDownCommits,
} from './checks.ts'
import type { Command } from './command.ts'
import { befall, storedRecords } from './faults.ts'
import type { Hosts } from './hosts.ts'
import { backfillWords, must, openApi, pipelineFile, Place } from './place.ts'
import { entriesOf, itemsOf, type Sizes } from './source.ts'
import { workersAlive } from './throughput.ts'

export interface ProofOptions extends Sizes {
  readonly hosts: Hosts
  readonly postgres: Postgres
  /** A database with the ledger's schema. */
  readonly database: string
  readonly latency: number
  /** Requests for entries, of all workers together, in each period; and as many for items. */
  readonly budget: number
  readonly periodMs: number
  readonly delayMs: number
  readonly stoppedMs: number
  readonly cutMs: number
  readonly tell: (line: string) => void
}

const WORKERS = 4
const AT_ONCE = 4
/** A command that hands out work may fail with the database; the same words go on. */
const ATTEMPTS = 4
/** A worker ends within 5 s; a busy machine may need longer. */
const DRAIN_MS = 30_000

/** Four workers read one API, and much befalls them. Throws what does not hold, after the last words of all of them. */
export async function prove(options: ProofOptions): Promise<void> {
  const { hosts, database: url, tell, budget, periodMs } = options
  const sizes: Sizes = options
  await using api = await openApi({ ...options, ...sizes, host: hosts.gateway })
  const rate = JSON.stringify({ requests: budget, per: `${periodMs / 1_000}s` })
  await using place = new Place({ hosts, database: url, api: api.url, sizes, rate })
  await using database = new Database({ url, max: 2 })
  await writeDownCommits(database)
  try {
    const workers = Array.from({ length: WORKERS }, (_, n) => place.worker(n, AT_ONCE))
    await workersAlive(url, WORKERS)
    tell(`${WORKERS} workers are alive`)
    const records = entriesOf(sizes) + itemsOf(sizes) * sizes.accounts
    const done = new AbortController()
    const work = Promise.all([
      untilDone('backfill', [...backfillWords(sizes), '--distribute', '--json'], place, tell),
      sizes.accounts > 0 &&
        untilDone(
          'run',
          ['run', pipelineFile('items'), '--distribute', '--accounts-at-once', '8', '--json'],
          place,
          tell,
        ),
    ]).finally(() => done.abort())
    const faults = befall({ ...options, workers, database: url, records, signal: done.signal })
    const watch = watchProgress(database, records, done.signal, tell)
    await Promise.all([work, faults, watch])
    tell('all work is done')
    // Whoever was away may still try to write.
    await sleep(10_000)
    await drained(workers.slice(1), tell)
    for (const check of [everyRecordOnce, mapComplete]) tell(await check(database, sizes))
    tell(await noSliceWrittenByTwo(database))
    const seen = await api.seen()
    tell(await budgetKept(database, seen, options))
    tell(hostsAsked(seen, hosts, WORKERS))
  } catch (error) {
    for (const { text } of place.commands) console.error(text)
    throw error
  }
}

/** Repeats a command until it ends with 0. */
async function untilDone(
  name: string,
  words: readonly string[],
  place: Place,
  tell: (line: string) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const command = place.start(`${name}, attempt ${attempt}`, words)
    const code = await command.ended
    if (code === 0) return tell(`${name} is done, at attempt ${attempt}`)
    tell(`${name} ended with ${code}: ${errorOf(command).slice(0, 600)}`)
    must(attempt < ATTEMPTS, `${name} is done after ${ATTEMPTS} attempts`)
    await sleep(1_000)
  }
}

/** Returns the error of the report, or the last line. */
const errorOf = (command: Command): string =>
  command.text.split('\n').findLast((line) => /error/i.test(line)) ?? command.lastLine

async function watchProgress(
  database: Database,
  records: number,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(15_000, undefined, { signal }).catch(() => {})
    const stored = await storedRecords(database).catch(() => undefined)
    if (stored !== undefined) tell(`${((100 * stored) / records).toFixed(0)} % stored`)
  }
}

/** Those that live take SIGTERM as a wish: also those that were away. */
async function drained(workers: readonly Command[], tell: (line: string) => void): Promise<void> {
  for (const worker of workers) must(worker.isRunning, `${worker.name} is alive at the end`)
  const began = performance.now()
  for (const worker of workers) worker.signal('SIGTERM')
  const late = AbortSignal.timeout(DRAIN_MS)
  const codes = await Promise.all(
    workers.map(async (worker) =>
      Promise.race([worker.ended, sleep(DRAIN_MS, 'still running', { signal: late }).catch(() => 'still running')]),
    ),
  )
  must(
    codes.every((code) => code === 0),
    `each worker that lives ends with 0 after SIGTERM: ${codes.join(', ')}`,
  )
  tell(`${workers.length} workers ended within ${((performance.now() - began) / 1_000).toFixed(1)} s of SIGTERM`)
}
