import type { Databases } from './databases.ts'
import type { Place } from './place.ts'
import type { Write } from './rig.ts'
import type { Successor } from './successor.ts'

/** One scenario: something happens to a run, and then everything must be as it should be. */
export interface Job {
  /** Which of the drivers made it. */
  readonly driver: string
  readonly name: string
  readonly write: Write
  /**
   * Answers where a kill fell; throws where a promise was broken. The successor is one that nobody else uses meanwhile.
   */
  readonly run: (successor?: Successor) => Promise<Place | undefined>
}

/** What the drivers are given. */
export interface Context {
  readonly databases: Databases
  readonly random: () => number
}

/** The same numbers between 0 and 1 for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Some of them, in a random order. */
export function sampled<T>(all: readonly T[], count: number, random: () => number): T[] {
  return all
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ item }) => item)
}
