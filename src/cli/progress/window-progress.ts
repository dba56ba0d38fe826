import type { RunEvent } from '../../model/event.ts'

/** A window is to do, running, done, failed or left out. */
export type WindowState = 'o' | 'r' | 'd' | 'f' | 's'

/** One place of a map: one window or several. */
export interface Cell {
  /** Of several the one that most asks to be seen: failed, then running. */
  readonly state: WindowState
  /** How many of them are done or left out, from 0 to 1. */
  readonly done: number
}

type Plan = Extract<RunEvent, { readonly type: 'backfill.planned' }>

/** The windows of a backfill, each by its place in it. */
export class WindowProgress {
  readonly #states: WindowState[]
  readonly #places = new Map<string, number>()
  readonly #todo: number
  #through = 0
  /** From the first window on: what comes before it says nothing of their pace. */
  #began: number | undefined

  constructor({ states, toRead }: Pick<Plan, 'states' | 'toRead'>) {
    this.#states = states.split('') as WindowState[]
    this.#todo = toRead
  }

  /** A window may be begun anew. */
  started(slice: string, place: number | undefined, now: number): void {
    if (place === undefined || place >= this.#states.length) return
    this.#began ??= now
    this.#places.set(slice, place)
    this.#states[place] = 'r'
  }

  ended(slice: string, as: 'd' | 'f'): void {
    const place = this.#places.get(slice)
    if (place === undefined) return
    this.#places.delete(slice)
    this.#states[place] = as
    this.#through += 1
  }

  get counts(): Readonly<{
    total: number
    todo: number
    running: number
    done: number
    failed: number
    skipped: number
  }> {
    const counted = { o: 0, r: 0, d: 0, f: 0, s: 0 }
    for (const state of this.#states) counted[state] += 1
    return {
      total: this.#states.length,
      todo: counted.o,
      running: counted.r,
      done: counted.d,
      failed: counted.f,
      skipped: counted.s,
    }
  }

  /** Of all windows, those that need not be read any more. */
  get share(): number {
    const { total, done, skipped } = this.counts
    return total === 0 ? 1 : (done + skipped) / total
  }

  /** All that this run was to read have been. */
  get isThrough(): boolean {
    return this.#through >= this.#todo
  }

  /** At the pace of this run so far. */
  leftMs(now: number): number | undefined {
    if (this.#began === undefined || this.#through === 0) return undefined
    return Math.max(0, ((now - this.#began) / this.#through) * (this.#todo - this.#through))
  }

  /** The windows in their order, in no more than so many cells. */
  map(width: number): Cell[] {
    const cells = Math.min(Math.max(1, width), this.#states.length)
    return Array.from({ length: cells }, (_, place) => {
      const part = this.#states.slice(
        Math.floor((place * this.#states.length) / cells),
        Math.floor(((place + 1) * this.#states.length) / cells),
      )
      const done = part.filter((state) => state === 'd' || state === 's').length
      const state = (['f', 'r', 'o', 'd', 's'] as const).find((one) => part.includes(one))!
      return { state, done: done / part.length }
    })
  }
}
