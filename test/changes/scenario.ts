// What one seed stands for: an API whose records come, change and go, and the table that is kept in step with it.
import type { Random } from '../moving/random.ts'

export interface Scenario {
  readonly write: 'merge' | 'mirror' | 'history' | 'mirrored history'
  /**
   * `incremental`: records since a cursor, which is also their version. `versioned`: everything in each run, with
   * `versionBy`. `none`: the same, and records have no time.
   */
  readonly timing: 'incremental' | 'versioned' | 'none'
  /** The API lists each record as it is, or each change as a record of its own. */
  readonly lists: 'states' | 'events'
  /** The list has deleted records, with a flag. */
  readonly announces: boolean
  /** A deleted record is nothing but its key. */
  readonly isBare: boolean
  /** A deleted record has the time of its last change before. */
  readonly keepsTime: boolean
  readonly marks: boolean
  /** Records have lists that are stored in tables of their own. */
  readonly hasLists: boolean
  /** Some records are rejected in some runs. */
  readonly hasRejects: boolean
  /** Backfills read windows, also while the stream is read. */
  readonly hasBackfills: boolean
  readonly records: number
  readonly page: number
  readonly batchRows: number
  /** The most changes before each page. */
  readonly unrest: number
  /** The probability that a run is interrupted. */
  readonly interruptions: number
  readonly runs: number
}

export function scenarioOf(random: Random): Scenario {
  const write = random.pick(['merge', 'merge', 'mirror', 'mirror', 'history', 'history', 'mirrored history'] as const)
  const [isMirror, isHistory] = [mirrors({ write }), keepsHistory({ write })]
  const timing = random.pick(['incremental', 'incremental', 'versioned', 'none'] as const)
  const lists = !isMirror && timing !== 'none' && random.chance(0.4) ? 'events' : 'states'
  const announces = !isMirror || random.chance(0.3)
  const mayBeBare = timing === 'versioned' && lists === 'states'
  const isBare = announces && (timing === 'none' || (mayBeBare && random.chance(0.5)))
  return {
    write,
    timing,
    lists,
    announces,
    isBare,
    keepsTime: announces && !isBare && timing === 'versioned' && random.chance(0.4),
    marks: !isHistory && random.chance(0.3),
    hasLists: !isHistory && random.chance(0.5),
    hasRejects: random.chance(0.5),
    hasBackfills: timing === 'incremental' && random.chance(0.6),
    records: random.between(1, 12),
    page: random.between(1, 5),
    batchRows: random.between(1, 6),
    unrest: random.between(0, 3),
    interruptions: random.pick([0, 0.3, 0.6]),
    runs: random.between(2, 4),
  }
}

/** True if a complete reading, or a whole window, deletes the rows that it did not bring. */
export const mirrors = ({ write }: Pick<Scenario, 'write'>): boolean =>
  write === 'mirror' || write === 'mirrored history'

export const keepsHistory = ({ write }: Pick<Scenario, 'write'>): boolean =>
  write === 'history' || write === 'mirrored history'

/** What ends a run early. `at` counts pages, or the ledger's writes to slices. */
export interface Interruption {
  /**
   * `break`: the source throws. `abort`: the run is told to stop. `die`: the database refuses each write of the ledger
   * from here on, also the one by which a run lets go of its slice, as if the process were gone. `cut`: one connection
   * is lost.
   */
  readonly kind: 'break' | 'abort' | 'die' | 'cut'
  readonly at: number
  /** `die` and `cut`: at the end of the transaction, and not at the statement. */
  readonly isAtCommit: boolean
}

export function interruptionOf({ interruptions }: Scenario, random: Random): Interruption | undefined {
  if (!random.chance(interruptions)) return undefined
  const kind = random.pick(['break', 'abort', 'die', 'die', 'cut'] as const)
  const isOfSource = kind === 'break' || kind === 'abort'
  return { kind, at: random.between(1, isOfSource ? 4 : 7), isAtCommit: random.chance(0.5) }
}

/** The name of a seed's kind, as `npm run changes` counts it. */
export const kindOf = ({ write, timing, lists, hasLists }: Scenario): string =>
  `${write}${hasLists ? ' with lists' : ''}, ${timing === 'none' ? 'no version' : timing}, ${lists}`
