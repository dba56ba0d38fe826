// APIs that know only the offsets of whole pages: they round others down, or reject them.
import type { ListAnchors } from './list-anchors.ts'
import { keyPart } from './record-identity.ts'

/** Finds out whether the pages of an API can overlap. */
export class Alignment {
  readonly #anchors: ListAnchors
  #isAligned: boolean
  #isProbing = false
  #lastEnds = ''

  constructor(anchors: ListAnchors, isAligned: boolean) {
    this.#anchors = anchors
    this.#isAligned = isAligned
  }

  /** True if pages cannot overlap. */
  get isAligned(): boolean {
    return this.#isAligned
  }

  /** Call it when the API has rejected an offset within a page. */
  reject(): void {
    this.#isAligned = true
  }

  /** Call it for each page that was fitted to the list. */
  remember(records: readonly unknown[]): void {
    this.#lastEnds = this.#endsOf(records)
  }

  /** True for a page with the same records at both ends as the page before. */
  isRepeated(records: readonly unknown[]): boolean {
    return records.length > 0 && this.#lastEnds !== '' && this.#endsOf(records) === this.#lastEnds
  }

  /**
   * Tells what a page shows that should overlap. 'probe': it is the page before once more, so the offset without the
   * overlap has to be requested. 'aligned': that page begins behind all records that were read. 'end': it is once more
   * the page before, which is shorter than what was asked for.
   */
  check(
    records: readonly unknown[],
    { isFull, isShort }: { readonly isFull: boolean; readonly isShort: boolean },
  ): 'probe' | 'aligned' | 'end' | undefined {
    if (!this.#isProbing) {
      this.#isProbing = isFull && records.length > 1 && this.isRepeated(records)
      return this.#isProbing ? 'probe' : undefined
    }
    this.#isProbing = false
    const isEnd = isShort && this.isRepeated(records)
    this.#isAligned = isEnd || this.#anchors.find(records, { byKey: true }).every((age) => age === undefined)
    if (isEnd) return 'end'
    return this.#isAligned ? 'aligned' : undefined
  }

  /** Empty where both ends are alike: then a page does not differ from the one before. */
  #endsOf(records: readonly unknown[]): string {
    const [first = '', last = ''] = [records[0], records.at(-1)].map((record) =>
      keyPart(this.#anchors.anchorOf(record)),
    )
    return first === last ? '' : first + last
  }
}
