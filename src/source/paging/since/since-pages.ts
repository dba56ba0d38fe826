// Reads a list that is ordered by a value: each request is the first page again, from the last record's value on. So no
// record can be skipped, whatever is inserted, changed or deleted in the meantime.
import { MAX_REASONS, type Completeness } from '../../../model/completeness.ts'
import { PagingError, PositionLostError } from '../../../model/errors.ts'
import type { Incremental } from '../../../model/recipe.ts'
import type { ApiResponse, From, PageRequest, Paging, Range, Request, SincePaging } from '../../../model/request.ts'
import type { SliceRead } from '../../../model/slice.ts'
import { knownOf } from '../../../model/unreadable-record.ts'
import { defined } from '../../../value/defined.ts'
import { ComparableValues } from '../../cursor/comparable-values.ts'
import { cursorAt } from '../../cursor/cursor-at.ts'
import { CursorLimit } from '../../cursor/cursor-limit.ts'
import { rangeValue, type CursorValue } from '../../cursor/cursor-value.ts'
import { nameOf } from '../../response-value.ts'
import { completenessOf } from '../grade.ts'
import { nextRequest } from '../next-request.ts'
import { afterPage, checkEmptyPages } from '../reading-state.ts'
import { SeenEndpoint } from '../seen-endpoint.ts'
import { BorderRecords } from './border-records.ts'
import { noValueProblem, oneValueProblem, pageEnd, recordsWith, type PageEnd } from './page-end.ts'
import { MAX_PASSES, Pass } from './pass.ts'
import { checkAscending, from, greatest, hashOf, upTo, type Entry } from './since-entries.ts'
import { SinceRequests } from './since-requests.ts'
import { sinceCompleteness, type SinceState } from './since-state.ts'

export const isSince = (paging: Paging<never>): paging is SincePaging<never> =>
  typeof paging === 'object' && paging.type === 'since'

export interface SinceOptions {
  readonly request: Request
  readonly paging: SincePaging<never>
  readonly incremental: Incremental | undefined
  readonly range: Range
  readonly slice: Pick<SliceRead, 'restart' | 'startedAt' | 'key' | 'endpoints'>
  /** What the position holds. */
  readonly stored: SinceState | undefined
  readonly warn: (message: string) => void
}

export interface SincePage {
  /** The records of the page without those that were read before. */
  readonly records: readonly unknown[]
  /** Undefined after the last page. */
  readonly next: PageRequest | undefined
}

/**
 * | page | what follows |
 * |---|---|
 * | its last value is behind `since` | the first page from this value on |
 * | it has one value, and is not full | the end |
 * | it has one value, and may be full | the next page of the paginator within, until a page has another value |
 * | it ends the pages of one value | these pages again, until two passes in a row were equal |
 */
export class SincePages {
  readonly #paging: SincePaging<never>
  readonly #at: From<never, unknown>
  readonly #requests: SinceRequests
  readonly #values: ComparableValues
  readonly #isKeyless: boolean
  readonly #isUnique: boolean
  readonly #endpoint: SeenEndpoint
  /** Remembers that a bound does not leave out its own value. */
  readonly #included: SeenEndpoint
  readonly #limit: CursorLimit | undefined
  /** The start of the range. */
  readonly #start: CursorValue | undefined
  /** The value that the current requests begin with. Undefined before the first border. */
  #since: CursorValue | undefined
  /** The greatest value that was read. */
  #last: CursorValue | undefined
  #border: BorderRecords
  #pass: Pass
  #largestPage: number
  #borders: number
  #repeated: number
  #reasons: readonly string[]
  #hasChecked = false

  constructor({ request, paging, incremental, range, slice, stored, warn }: SinceOptions) {
    this.#paging = paging
    this.#at = incremental?.at ?? paging.field ?? ''
    this.#requests = new SinceRequests(request, paging, range, incremental?.unit)
    this.#isKeyless = slice.restart === 'slice'
    this.#isUnique = slice.key?.length === 1 && slice.key[0] === this.#at
    this.#endpoint = new SeenEndpoint(request, slice.endpoints)
    this.#included = new SeenEndpoint(request, slice.endpoints, 'since is included')
    this.#limit = slice.startedAt && new CursorLimit(slice.startedAt, incremental?.unit, undefined)
    this.#start = range.since === undefined ? undefined : rangeValue(range.since)
    const { since, last, known, met, pass, largestPage = 0, borders = 0, repeated = 0, reasons = [] } = stored ?? {}
    this.#since = since === undefined ? undefined : rangeValue(since)
    this.#last = last === undefined ? this.#start : rangeValue(last)
    this.#values = new ComparableValues(incremental ? cursorAt(incremental) : this.#at, range, this.#last?.kind, {
      location: 'bySince()',
      warn,
    })
    this.#border = new BorderRecords(this.#isKeyless, known, met)
    this.#pass = new Pass(pass)
    this.#largestPage = largestPage
    this.#borders = borders
    this.#repeated = repeated
    this.#reasons = reasons
  }

  /** Undefined if a position cannot hold it: then there is no position after this page. */
  get state(): SinceState | undefined {
    const { stored } = this.#border
    if (!stored) return undefined
    const pass = this.#pass.stored
    return {
      known: stored.known,
      largestPage: this.#largestPage,
      borders: this.#borders,
      repeated: this.#repeated,
      ...defined({
        since: this.#since && String(this.#since.raw),
        last: this.#last && String(this.#last.raw),
        met: pass && stored.met,
        pass,
        reasons: this.#reasons.length > 0 ? this.#reasons : undefined,
      }),
    }
  }

  /** The grade of the reading, if it ends here. */
  get completeness(): Completeness {
    return sinceCompleteness(
      { borders: this.#borders, repeated: this.#repeated, reasons: this.#reasons },
      { isSafe: this.#isUnique || this.#included.hasWayOn },
    )
  }

  /** Call it for each response once, in order. */
  read(response: ApiResponse<unknown>, request: PageRequest): SincePage {
    const entries: Entry[] = response.records.map((record) => ({
      record,
      value: this.#values.valueOf(knownOf(record)),
    }))
    checkAscending(entries, this.#requests)
    this.#largestPage = Math.max(this.#largestPage, entries.length)
    const isFirst = this.#pass.pages === 0
    const to = this.#nextSince(entries)
    if (isFirst && this.#pass.number === 1) this.#compareWithBorder(entries)
    if (isFirst && !to) this.#last = greatest(entries, this.#last)
    const inside = upTo(this.#last, entries, this.#requests)
    const isRepeated = inside.length === entries.length && inside.every((entry) => this.#border.hasMet(hashOf(entry)))
    const known = new Set(inside.filter((entry) => this.#border.take(hashOf(entry))))
    const largestPage = Math.max(this.#largestPage, this.#endpoint.largestPage)
    const end = pageEnd(response, request, this.#paging, largestPage)
    const page = { entries, inside, known, end, response, request }
    if (isFirst && to) return this.#moveTo(to, page)
    this.#pass.add(inside.map(hashOf), { isRepeated })
    return to ? this.#endPass(to, page) : this.#readWithin(page)
  }

  /** Goes on with the first page from a value on. */
  #moveTo(to: CursorValue, page: ReadPage): SincePage {
    const { entries, inside, end } = page
    this.#checkDoubled()
    if (end.is !== 'not full' && !entries.at(-1)?.value) this.#addReason(noValueProblem(end, nameOf(this.#at)))
    const isSameBorder = this.#last !== undefined && this.#requests.isSame(to, this.#last)
    if (!isSameBorder) this.#border = new BorderRecords(this.#isKeyless)
    const isTaken = new Set(isSameBorder ? inside : [])
    for (const entry of from(to, entries, this.#requests)) if (!isTaken.has(entry)) this.#border.take(hashOf(entry))
    this.#border.startAgain()
    this.#since = to
    this.#last = greatest(entries, this.#last)
    this.#pass = new Pass()
    // A page that is not full has the whole rest of the list. Without this end, a record that changes all the time
    // would be read for ever.
    const isTail = end.is === 'not full' && this.#limit?.isBefore(to) === true
    return { records: freshOf(page), next: isTail ? undefined : this.#requests.from(to) }
  }

  /** Goes on within the records of one value. */
  #readWithin(page: ReadPage): SincePage {
    const { within } = this.#paging
    const { response, request, end, entries } = page
    const isFirst = this.#pass.pages === 1
    const records = freshOf(page)
    if (isFirst && end.is === 'not full') return { records, next: undefined }
    if (!within) {
      this.#addReason(oneValueProblem(end, recordsWith(entries.length, this.#last, nameOf(this.#at))))
      return { records, next: undefined }
    }
    this.#pass.reading = afterPage(this.#pass.reading, within, response)
    const next = nextRequest(within, response, request, this.#pass.reading)
    if (next) {
      checkEmptyPages(this.#pass.reading, within)
      return { records, next }
    }
    const { reading: state } = this.#pass
    const { reasons } = completenessOf({
      paging: within,
      request,
      response,
      state,
      stop: 'paginator',
      isAnchored: true,
    })
    for (const reason of reasons) this.#addReason(reason)
    return isFirst ? { records, next } : this.#endPass(undefined, page)
  }

  /** The pages of one value have ended: by a page with another value, or by the end of the list. */
  #endPass(to: CursorValue | undefined, page: ReadPage): SincePage {
    const [first] = page.entries
    const firstHash = first && hashOf(first)
    const isEqual = this.#pass.isEqual(firstHash)
    if (!isEqual) this.#checkDoubled()
    if (!isEqual && this.#pass.number < MAX_PASSES) {
      this.#pass = this.#pass.next(firstHash)
      this.#border.startAgain()
      // The records behind this value come again.
      return {
        records: freshOf({ ...page, entries: page.inside }),
        next: this.#requests.from(this.#since ?? this.#start),
      }
    }
    if (!isEqual)
      this.#addReason(
        `${this.#place()} the list moved during each of ${MAX_PASSES} passes, so records may be missing. ` +
          'Request larger pages',
      )
    return to ? this.#moveTo(to, page) : { records: freshOf(page), next: undefined }
  }

  /** Returns the `since` of the next request; undefined if it would request the same page again. */
  #nextSince(entries: readonly Entry[]): CursorValue | undefined {
    const last = greatest(entries)
    if (!last) return undefined
    if (!this.#hasChecked) this.#requests.check(last)
    this.#hasChecked = true
    const to = this.#paging.exclusive ? this.#valueBefore(last, entries) : last
    const current = this.#since ?? this.#start
    return to && (!current || this.#requests.isBehind(to, current)) ? to : undefined
  }

  /** A bound that leaves out its own value has to be one value earlier, so that all records of the last value come. */
  #valueBefore(last: CursorValue, entries: readonly Entry[]): CursorValue | undefined {
    const before = entries.findLast(({ value }) => value && this.#requests.isBehind(last, value))?.value
    return before ?? (this.#last && this.#requests.isBehind(last, this.#last) ? this.#last : undefined)
  }

  /** Throws if the page begins before `since`. Counts whether the records at the border came again. */
  #compareWithBorder(entries: readonly Entry[]): void {
    const [since, last] = [this.#since, this.#last]
    if (!since || !last) return
    const first = entries.find(({ value }) => value)?.value
    if (first && this.#requests.isBehind(since, first))
      throw new PagingError(
        `the page from '${since.raw}' on begins with '${first.raw}', so the API ignores or rounds \`since\`. ` +
          'Correct the parameter, or send it as the API compares it, as in isoDate(since)',
      )
    const isThere = upTo(last, entries, this.#requests).some(({ value }) => value && this.#requests.isSame(value, last))
    this.#borders++
    if (!isThere) return
    this.#repeated++
    this.#included.add(0, { hasWayOn: true })
  }

  /** Without a key, a record that was read twice because the list moved would be stored twice. */
  #checkDoubled(): void {
    if (this.#pass.number === 1 || !this.#border.mayBeDoubled) return
    throw new PositionLostError(
      `${this.#place()} the list moved, so records may have been read twice. Restarting from the beginning`,
    )
  }

  #place(): string {
    return `within the pages of the value '${this.#last?.raw}',`
  }

  #addReason(reason: string): void {
    this.#reasons = [...new Set([...this.#reasons, reason])].slice(0, MAX_REASONS)
  }
}

/** A page on its way through the rules. */
interface ReadPage {
  readonly entries: readonly Entry[]
  /** Those that are not behind the greatest value before this page. */
  readonly inside: readonly Entry[]
  /** Those of them that were read before. */
  readonly known: ReadonlySet<Entry>
  readonly end: PageEnd
  readonly response: ApiResponse<unknown>
  readonly request: PageRequest
}

const freshOf = ({ entries, known }: Pick<ReadPage, 'entries' | 'known'>): readonly unknown[] =>
  entries.filter((entry) => !known.has(entry)).map(({ record }) => record)
