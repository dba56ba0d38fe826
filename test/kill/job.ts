import type { Databases } from './databases.ts'
import type { Place } from './place.ts'
import type { Write } from './rig.ts'
import type { Successor } from './successor.ts'

/** One scenario: something happens to a run, and the result is then compared with the source. */
export interface Job {
  /** The driver that made it. */
  readonly driver: string
  readonly name: string
  readonly write: Write
  /** Returns the place of the kill. Throws if a promise was broken. No other job uses the successor at that time. */
  readonly run: (successor?: Successor) => Promise<Place | undefined>
}

/** The context of the drivers. */
export interface Context {
  readonly databases: Databases
  readonly random: () => number
}

/** Returns a generator of numbers between 0 and 1 that depend only on the seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Returns some items in a random order. */
export function sampled<T>(all: readonly T[], count: number, random: () => number): T[] {
  return all
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ item }) => item)
}
