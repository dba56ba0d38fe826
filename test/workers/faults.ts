import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/database/database.ts'
import type { Postgres } from '../kill/postgres.ts'
import type { Command } from './command.ts'
import type { Hosts } from './hosts.ts'

export interface FaultOptions {
  readonly workers: readonly Command[]
  readonly hosts: Hosts
  readonly postgres: Postgres
  readonly database: string
  readonly records: number
  /** How long a worker is stopped, and how long another one is cut off. */
  readonly stoppedMs: number
  readonly cutMs: number
  readonly tell: (line: string) => void
  /** Aborts when the work is done: what has not happened by then is a fault of the proof. */
  readonly signal: AbortSignal
}

/**
 * Does to the workers, one after another, what happens to hosts, each when a share of the records is stored. Resolves
 * when all of it has happened and those that were away are back. Throws if the work is done before.
 */
export async function befall({
  workers,
  hosts,
  postgres,
  stoppedMs,
  cutMs,
  tell,
  ...rest
}: FaultOptions): Promise<void> {
  const [killed, stopped, cut] = workers as [Command, Command, Command]
  const away: Promise<void>[] = []
  const later = (ms: number, back: () => void | Promise<void>): void => {
    const returned = sleep(ms).then(back)
    // Awaited at the end; if the proof has failed by then, nobody does.
    returned.catch(() => {})
    away.push(returned)
  }
  const has = (share: number): Promise<void> => reached(share, rest)

  await has(0.1)
  killed.signal('SIGKILL')
  tell(`${killed.name} was killed`)

  await has(0.2)
  await postgres.restartImmediately()
  tell('PostgreSQL was stopped as by a crash, and has recovered')

  await has(0.3)
  stopped.signal('SIGSTOP')
  tell(`${stopped.name} was stopped`)
  later(stoppedMs, () => {
    stopped.signal('SIGCONT')
    tell(`${stopped.name} goes on after ${stoppedMs / 1_000} s`)
  })

  await has(0.4)
  if (hosts.lack === undefined) {
    await hosts.cutOff(2)
    tell(`${cut.name} was cut off`)
    later(cutMs, async () => {
      await hosts.joinAgain(2)
      tell(`${cut.name} is joined again after ${cutMs / 1_000} s`)
    })
  }

  await has(0.6)
  await postgres.restartImmediately()
  tell('PostgreSQL was stopped once more, and has recovered')
  await Promise.all(away)
}

/** Waits until a share of the records is stored. */
async function reached(
  share: number,
  { database: url, records, signal }: Pick<FaultOptions, 'database' | 'records' | 'signal'>,
): Promise<void> {
  await using database = new Database({ url, max: 1 })
  for (;;) {
    if (signal.aborted)
      throw new Error(`The work has ended before ${share * 100} % of it: take more records, or a lower rate`)
    const stored = await storedRecords(database).catch(() => 0)
    if (stored >= share * records) return
    await sleep(250)
  }
}

/** Records that the slices of all runs have stored. */
export async function storedRecords(database: Database): Promise<number> {
  const { sum } = await database.one<{ sum: string }>('select coalesce(sum(inserted), 0) as sum from sluice.slices')
  return Number(sum)
}
