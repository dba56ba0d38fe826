// What must be true of a table, whatever has happened.
import type { State } from './changing-api.ts'
import type { Stored } from './stored.ts'

/** How a state was committed. */
export interface How {
  /** By the replay of its reject. */
  readonly isReplay: boolean
  /** By a run beside another one, which may have committed other states of the record before or after it. */
  readonly isBeside: boolean
  /** There was a table before the run. */
  readonly hasTable: boolean
}

/** Told of all that was committed, in the order of the commits. */
export interface Expected {
  /** A state was read and rejected. */
  readonly reject: (state: State) => void
  readonly apply: (state: State, how: How) => void
  /** Returns what is wrong with the table now. */
  readonly problem: (stored: Stored) => string | undefined
  /** The same, after a complete reading of an API at rest without rejects. `past`: all that each record has been. */
  readonly problemAtRest: (
    stored: Stored,
    records: readonly State[],
    past: ReadonlyMap<number, readonly State[]>,
  ) => string | undefined
}
