// Finds out whether records have another content each time they are read.
import { countOf, type CountedPaging } from '../paging/counted-pages.ts'
import type { PageRequest } from '../../model/request.ts'
import { CONTIGUOUS, type ListAnchors } from './list-anchors.ts'

/** Keys at both ends of a page. */
interface LastPage {
  readonly count: number
  readonly length: number
  readonly keys: string
}

interface Probe {
  readonly page: LastPage
  /** The anchor of its last record as it was read at the beginning of the next page. */
  readonly lastAnchor: string
}

/**
 * A page that begins with the key of the last record before it, and with another content, was touched there, or has
 * records that differ in each response. So the page before is read once more. With the same keys as before:
 *
 * | its last record | so |
 * |---|---|
 * | has a third content | records are volatile: keys alone are compared from now on |
 * | has that of the page behind it | it was touched once: its new content is known now |
 * | the same once more, for the same page | records are volatile, or touched too fast to be told from those |
 */
export class Volatility {
  readonly #paging: CountedPaging
  readonly #anchors: ListAnchors
  /** False where records have no key, or a cursor that tells touched ones apart. */
  readonly #isAsked: boolean
  #isVolatile: boolean
  #lastPage: LastPage | undefined
  #probe: Probe | undefined
  #touchedAt: number | undefined

  constructor(
    paging: CountedPaging,
    anchors: ListAnchors,
    { isAsked, isVolatile }: { readonly isAsked: boolean; readonly isVolatile: boolean },
  ) {
    this.#paging = paging
    this.#anchors = anchors
    this.#isAsked = isAsked && paging.type === 'offset'
    this.#isVolatile = isVolatile
  }

  get isVolatile(): boolean {
    return this.#isVolatile
  }

  /** True while the page before is read once more. */
  get isProbing(): boolean {
    return this.#probe !== undefined
  }

  /** Call it for each page that was fitted. */
  add(records: readonly unknown[], sent: PageRequest): void {
    this.#lastPage = this.#pageOf(records, sent)
  }

  /** Returns the offset of the page to read once more, if a page that should begin with its last record asks for it. */
  probe(first: unknown): number | undefined {
    if (!this.#isAsked || this.#isVolatile || !this.#lastPage || !this.#anchors.hasLastKey(first)) return undefined
    this.#probe = { page: this.#lastPage, lastAnchor: this.#anchors.anchorOf(first) }
    return this.#lastPage.count
  }

  /** Judges a page after `probe()`. Returns true if it was the page before, with the same records. */
  judge(records: readonly unknown[], sent: PageRequest): boolean {
    const probe = this.#probe
    this.#probe = undefined
    if (!probe || !isSamePage(probe.page, this.#pageOf(records, sent))) return false
    const isTouched = this.#anchors.anchorOf(records.at(-1)) === probe.lastAnchor
    this.#isVolatile = !isTouched || this.#touchedAt === probe.page.count
    this.#touchedAt = probe.page.count
    if (!this.#isVolatile) this.#anchors.add(records)
    return true
  }

  #pageOf(records: readonly unknown[], sent: PageRequest): LastPage | undefined {
    if (!this.#isAsked) return undefined
    return {
      count: countOf(sent, this.#paging),
      length: records.length,
      keys: this.#anchors.keysOf([...records.slice(0, CONTIGUOUS), ...records.slice(-CONTIGUOUS)]),
    }
  }
}

const isSamePage = (a: LastPage, b: LastPage | undefined): boolean =>
  b !== undefined && a.count === b.count && a.length === b.length && a.keys === b.keys
