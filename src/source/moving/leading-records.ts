// Records at the beginning of a page that were read before, where rows have no key and pages do not overlap.
import type { Fit } from './fit.ts'
import { KeySet } from './key-set.ts'
import type { RecordIdentity } from './record-identity.ts'

/** Leaves them out in the last pass. */
export class LeadingRecords {
  readonly #identity: RecordIdentity
  readonly #read = new KeySet()

  constructor(identity: RecordIdentity) {
    this.#identity = identity
  }

  /** Call it for each page. */
  leaveOut(fit: Fit): Fit {
    const isNew = fit.records.map((record) => this.#read.add(this.#identity.anchorOf(record)))
    const first = isNew.indexOf(true)
    return { ...fit, records: first < 0 ? [] : fit.records.slice(first) }
  }
}
