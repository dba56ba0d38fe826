// Records that are appended without a key: none that was read may be stored again.
import { ListMovedError } from '../../model/errors.ts'
import type { Fit } from './fit.ts'
import { KeySet } from './key-set.ts'
import type { ListAnchors } from './list-anchors.ts'
import { anchorsIn, type ListState, type OverlapOptions } from './list-state.ts'

/** Anchors of records that may come again, in 4 kB of the position. */
const MAX_MAY_COME = 256

/**
 * Watches that no record of a list that moves is stored twice. While the slice may restart, it does so when a record
 * comes again; in the last pass, such a record is left out.
 */
export class KeylessRecords {
  readonly #anchors: ListAnchors
  /** Records that were read behind the one at which the list went on. They may be gone, or come again. */
  readonly #mayCome: Set<string>
  /** In the last pass: all records of this pass. */
  readonly #read: KeySet | undefined
  /** The list has moved in the last pass, so what was read is left out from here on. */
  #hasMoved = false
  /** Parts of the list were read again, or records that are left out may only look like some that were read. */
  #isLoose = false

  constructor(anchors: ListAnchors, { mayRestart, stored }: Pick<OverlapOptions, 'mayRestart' | 'stored'>) {
    this.#anchors = anchors
    this.#mayCome = new Set(anchorsIn(stored.mayCome ?? ''))
    this.#read = mayRestart ? undefined : new KeySet()
  }

  /** True in the last pass: what was read before is left out. */
  get leavesOut(): boolean {
    return this.#read !== undefined
  }

  /** In the last pass: true if none of the records was read, though all of them should have been. */
  knowsNone(records: readonly unknown[]): boolean {
    const read = this.#read
    return read !== undefined && !records.some((record) => read.has(this.#anchors.anchorOf(record)))
  }

  get state(): Pick<ListState, 'mayCome' | 'unsure'> {
    return {
      ...(this.#mayCome.size > 0 && { mayCome: [...this.#mayCome].join('') }),
      ...(this.#hasMoved && { unsure: true }),
    }
  }

  /** Call it where the list goes on behind an older record than the last one: so many were read behind it. */
  goOnBefore(count: number): void {
    for (const anchor of this.#anchors.last(count)) this.#mayCome.add(anchor)
    if (this.#mayCome.size > MAX_MAY_COME) throw new ListMovedError()
  }

  /** Call it where pages no longer overlap: what comes again is left out. */
  goOnPlainly(): void {
    this.#hasMoved = true
    this.#isLoose = true
  }

  /**
   * Returns the part of the list without what was read before. Throws if it cannot be left out. `isJoined`: false for a
   * page that does not overlap with the one before it, so that the list may have moved in between.
   */
  fit(fit: Fit, { isJoined }: { readonly isJoined: boolean }): Fit {
    const read = this.#read
    if (!read) {
      this.#checkNew(fit.records)
      return fit
    }
    const isNew = fit.records.map((record) => read.add(this.#anchors.anchorOf(record)))
    // The list has not moved since the page before, so equal records may be two.
    if ((this.#hasMoved || !isJoined) && !fit.isMoved && isNew.includes(false)) this.#isLoose = true
    if (fit.isStart || fit.isLoose) this.#isLoose = true
    if (fit.isMoved || this.#isLoose) this.#hasMoved = true
    if (!this.#hasMoved) return fit
    return {
      ...fit,
      records: fit.records.filter((_, index) => isNew[index]),
      ...(this.#isLoose && { isLoose: true }),
    }
  }

  /** Throws if a record comes again: others came between it and the one at which the list went on. */
  #checkNew(records: readonly unknown[]): void {
    if (this.#mayCome.size === 0) return
    if (records.some((record) => this.#mayCome.has(this.#anchors.anchorOf(record)))) throw new ListMovedError()
  }
}
