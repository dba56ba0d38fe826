// The table of states and events in the header of transitions.ts, as the tests of it expect it.

export type State = 'none' | 'free' | 'held' | 'taken' | 'done' | 'failed' | 'skipped' | 'closed'
export type Event =
  | 'open'
  | 'claim'
  | 'claim all'
  | 'renew'
  | 'advance'
  | 'finish'
  | 'restart'
  | 'release'
  | 'fail'
  | 'skip'
  | 'close'

/** `-`: nothing changes and nothing is returned; `lost`: the same, with SL001; `another`: a new slice beside it. */
export type Expected = Exclude<State, 'none'> | '-' | 'lost' | 'another'
type Table<States extends State> = Record<States, Record<Event, Expected>>

/** The events of a slice that the token does not hold. */
const NOT_HELD = {
  renew: '-',
  advance: 'lost',
  finish: 'lost',
  restart: 'lost',
  release: '-',
  fail: '-',
} as const

/** The events of an open slice that the token holds, or held last. */
const HELD = {
  renew: 'held',
  advance: 'held',
  finish: 'done',
  restart: 'held',
  release: 'free',
  fail: 'failed',
} as const

/** A renewal that was under way during the release must not give a lease again. */
const RELEASED = { renew: '-', release: '-' } as const

export const SYNC: Table<Exclude<State, 'skipped'>> = {
  none: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  free: { ...HELD, ...RELEASED, open: '-', claim: 'held', 'claim all': 'held', skip: '-', close: 'closed' },
  held: { ...HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: 'closed' },
  taken: { ...NOT_HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: 'closed' },
  done: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  failed: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  closed: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
}

/** A range of a chain. `open` makes the next one, and the first one of another chain behind a closed one. */
export const RANGE: Table<Exclude<State, 'skipped'>> = {
  none: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  free: { ...HELD, ...RELEASED, open: 'another', claim: 'held', 'claim all': 'held', skip: '-', close: 'closed' },
  held: { ...HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: 'closed' },
  taken: { ...NOT_HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: 'closed' },
  done: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  failed: { ...NOT_HELD, open: 'another', claim: 'held', 'claim all': 'held', skip: '-', close: '-' },
  closed: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
}

export const WINDOW: Table<Exclude<State, 'closed'>> = {
  none: { ...NOT_HELD, open: 'another', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  free: { ...HELD, ...RELEASED, open: '-', claim: 'held', 'claim all': 'held', skip: 'skipped', close: '-' },
  held: { ...HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  taken: { ...NOT_HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  done: { ...NOT_HELD, open: '-', claim: '-', 'claim all': '-', skip: '-', close: '-' },
  failed: { ...NOT_HELD, open: '-', claim: 'held', 'claim all': 'held', skip: 'skipped', close: '-' },
  skipped: { ...NOT_HELD, open: '-', claim: '-', 'claim all': 'held', skip: '-', close: '-' },
}
