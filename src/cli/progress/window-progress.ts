import type { RunEvent } from '../../model/event.ts'

/** Open (pending), running, done, failed or skipped, as the letters of the event `backfill.planned`. */
export type WindowState = 'o' | 'r' | 'd' | 'u' | 'f' | 's'

/** One place of the map, which stands for one window or several. */
export interface Cell {
  /** The most urgent state of several windows: failed, then running. */
  readonly state: WindowState
  /** The part of the windows that is done or skipped, from 0 to 1. */
  readonly done: number
}

export interface WindowStateCounts {
  readonly total: number
  readonly pending: number
  readonly running: number
  readonly done: number
  /** Done, but not proven complete. */
  readonly unproven: number
  readonly failed: number
  readonly skipped: number
}

/** The state that a cell of several windows shows: the first of these that one of them has. */
const BY_URGENCY: readonly WindowState[] = ['f', 'r', 'u', 'o', 'd']

const RESULTS = { done: 'd', unproven: 'u', failed: 'f' } as const

type Plan = Extract<RunEvent, { readonly type: 'backfill.planned' }>

/** The states of the windows of a backfill, in the order of the windows. */
export class WindowProgress {
  readonly #states: WindowState[]
  /** The index of the window that a slice reads. */
  readonly #indexes = new Map<string, number>()
  readonly #toRead: number
  #read = 0
  /** When the first window started. The time before it says nothing about the pace. */
  #began: number | undefined

  constructor({ states, toRead }: Pick<Plan, 'states' | 'toRead'>) {
    // The event's type is a string of these letters.
    this.#states = states.split('') as WindowState[]
    this.#toRead = toRead
  }

  /** A window may start again after a restart. */
  started(slice: string, index: number | undefined, now: number): void {
    if (index === undefined || index >= this.#states.length) return
    this.#began ??= now
    this.#indexes.set(slice, index)
    this.#states[index] = 'r'
  }

  ended(slice: string, result: 'done' | 'unproven' | 'failed'): void {
    const index = this.#indexes.get(slice)
    if (index === undefined) return
    this.#indexes.delete(slice)
    this.#states[index] = RESULTS[result]
    this.#read += 1
  }

  get counts(): WindowStateCounts {
    const counted = { o: 0, r: 0, d: 0, u: 0, f: 0, s: 0 }
    for (const state of this.#states) counted[state] += 1
    return {
      total: this.#states.length,
      pending: counted.o,
      running: counted.r,
      done: counted.d,
      unproven: counted.u,
      failed: counted.f,
      skipped: counted.s,
    }
  }

  /** The part of all windows that is done or skipped, from 0 to 1. */
  get share(): number {
    const { total, done, unproven, skipped } = this.counts
    return total === 0 ? 1 : (done + unproven + skipped) / total
  }

  /** True when every window that this run had to read has ended. */
  get isThrough(): boolean {
    return this.#read >= this.#toRead
  }

  /** Milliseconds until all windows are read, at the pace of this run so far. */
  leftMs(now: number): number | undefined {
    if (this.#began === undefined || this.#read === 0) return undefined
    return Math.max(0, ((now - this.#began) / this.#read) * (this.#toRead - this.#read))
  }

  /** Returns the windows in their order, in at most `width` cells. */
  map(width: number): Cell[] {
    const cells = Math.min(Math.max(1, width), this.#states.length)
    return Array.from({ length: cells }, (_, cell) => {
      const part = this.#states.slice(
        Math.floor((cell * this.#states.length) / cells),
        Math.floor(((cell + 1) * this.#states.length) / cells),
      )
      const done = part.filter((state) => state === 'd' || state === 'u' || state === 's').length
      return { state: BY_URGENCY.find((state) => part.includes(state)) ?? 's', done: done / part.length }
    })
  }
}
