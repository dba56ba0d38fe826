import { UsageError } from '../../model/errors.ts'
import type { PathTo } from '../../model/path.ts'
import type { InHeader, Paging, Parameter } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import type { ResponseCondition } from './condition.ts'
import { given, named, whole, withMore } from './paging-checks.ts'
import { rejectRenamedWords } from '../renamed-words.ts'
import type { ConnectionIn, Connection, InRecords } from './paging-types.ts'

// The unions below are written out: the compiler's message then lists the paths instead of a type's name.
type Find<Body, Value> = (body: Body) => Value | null | undefined

interface More<Body> {
  /** Paging ends when this is false. While it is true, the page must name the next one. */
  more?: PathTo<Body, boolean> | Find<Body, boolean> | InHeader | ResponseCondition<Body>
  /**
   * The opposite of `more`, such as `'is_last'`: paging ends when this is true. A condition is
   * `{ at: 'state', is: 'COMPLETE' }`, or `{ at: 'next', exists: false }`.
   */
  done?: PathTo<Body, boolean> | Find<Body, boolean> | InHeader | ResponseCondition<Body>
}

interface Total<Body> {
  /** Number of records in all. It ends no paging: the reading is compared with it, and proven by it. @default none */
  total?: PathTo<Body, number | string> | Find<Body, number | string> | InHeader
}

const FORMER_NAMES = { first: 'start', last: 'max' }
const ENDS = { total: true, more: true, done: true } as const

/**
 * A header, in place of a path of the body or of a parameter's name. The case of its name does not matter.
 *
 * @example
 * .pages(byPage('page', { pages: inHeader('x-total-pages') }))
 */
export function inHeader(
  name: string,
  options: {
    /**
     * For a wait: the header holds JSON, and this is the path of the number in it, with `*` for every member. The
     * greatest of several counts. @default the header is the value
     */
    json?: string
  } = {},
): InHeader {
  rejectUnknownOptions('inHeader()', options, { json: true })
  const { json } = options
  if (json !== undefined && (typeof json !== 'string' || json === ''))
    throw new UsageError("inHeader(): json is the path of a number in the header, as in '*.retry_in'")
  return Object.freeze({ header: named('inHeader', name).toLowerCase(), ...defined({ json }) })
}

/**
 * One page: the first response has all records.
 *
 * @example
 * api.get<Country[]>('/countries').pages(onePage()).records()
 */
export function onePage(
  options: {
    /**
     * The largest number of records that the API returns, without a sign that there are more. A reading with so many is
     * `open`. @default none
     */
    atMost?: number
  } = {},
): Paging<unknown> {
  rejectUnknownOptions('onePage()', options, { atMost: true })
  const { atMost } = options
  if (atMost !== undefined && !(Number.isSafeInteger(atMost) && atMost > 0))
    throw new UsageError(`onePage(): atMost must be a whole number from 1, not ${atMost}`)
  return Object.freeze({ type: 'one page', ...defined({ atMost }) })
}

/**
 * `?page=1`, `?page=2` and so on, until `pages` or `max` is reached, or `more` is false. Without `pages` and `more`, an
 * empty page is the end. With `pages`, several pages are requested at the same time.
 *
 * @example
 * .pages(byPage('page', { pages: 'meta.total_pages' }))
 */
export function byPage<Body>(
  parameter: Parameter,
  options: More<Body> &
    Total<Body> & {
      /** Number of the first page. @default 1 */
      start?: number
      /** Number of pages in all (not of records). */
      pages?: PathTo<Body, number | string> | Find<Body, number | string> | InHeader
      /** Number of the last page that is read. @default none */
      max?: number
    } = {},
): Paging<Body> {
  rejectRenamedWords('byPage()', options, FORMER_NAMES)
  rejectUnknownOptions('byPage()', options, { start: true, pages: true, max: true, ...ENDS })
  const { start = 1, ...ends } = options
  whole('byPage', { start, max: ends.max })
  return Object.freeze({ type: 'page', parameter: named('byPage', parameter), start, ...withMore('byPage', ends) })
}

/**
 * `?offset=0`, then the number of records read so far, until `total` or `max` is reached, or `more` is false. Without
 * `total` and `more`, an empty page is the end; with them, the offset steps over it by the page size of the request.
 *
 * @example
 * .pages(byOffset('offset', { total: 'meta.total' }))
 */
export function byOffset<Body>(
  parameter: Parameter,
  options: More<Body> & {
    /** Offset of the first page. @default 0 */
    start?: number
    /** Number of records in all. */
    total?: PathTo<Body, number | string> | Find<Body, number | string> | InHeader
    /** The parameter that holds the page size. @default a usual name, such as `limit` or `per_page` */
    limit?: string
    /** Largest offset that is requested. @default none */
    max?: number
    /**
     * Each page begins with the last record of the page before: a list that moves while it is read then loses none.
     * False is for an API that accepts only multiples of the page size. @default true
     */
    overlap?: boolean
  } = {},
): Paging<Body> {
  rejectRenamedWords('byOffset()', options, FORMER_NAMES)
  rejectUnknownOptions('byOffset()', options, { start: true, limit: true, max: true, overlap: true, ...ENDS })
  const { start = 0, ...ends } = options
  whole('byOffset', { start, max: ends.max })
  if (ends.limit !== undefined) named('byOffset', ends.limit)
  return Object.freeze({
    type: 'offset',
    parameter: named('byOffset', parameter),
    start,
    ...withMore('byOffset', ends),
  })
}

/**
 * The response holds a cursor for the next page. Paging ends at a page without one.
 *
 * @example
 * .pages(byCursor('after', 'meta.next_cursor'))
 * .pages(byCursor(inHeader('x-continuation'), inHeader('x-continuation')))
 */
export const byCursor = <Body>(
  parameter: Parameter,
  at: PathTo<Body, string | number> | Find<Body, string | number> | InHeader,
  options: More<Body> & Total<Body> = {},
): Paging<Body> =>
  Object.freeze({
    type: 'cursor',
    parameter: named('byCursor', parameter),
    at: given('byCursor', at),
    ...withMore('byCursor', ended('byCursor', options)),
  })

/**
 * A field of the last record is the cursor of the next page. Paging ends at an empty page.
 *
 * @example
 * .pages(byLastRecord('starting_after', 'data.id', { more: 'has_more' }))
 */
export const byLastRecord = <Body>(
  parameter: Parameter,
  at: InRecords<Body>,
  options: More<Body> & Total<Body> = {},
): Paging<Body> =>
  Object.freeze({
    type: 'last record',
    parameter: named('byLastRecord', parameter),
    at: given('byLastRecord', at),
    ...withMore('byLastRecord', ended('byLastRecord', options)),
  })

/**
 * The response holds the URL of the next page, absolute or relative. Paging ends at a page without one.
 *
 * @example
 * .pages(byNextUrl('links.next'))
 */
export const byNextUrl = <Body>(
  at: PathTo<Body, string> | Find<Body, string> | InHeader,
  options: More<Body> & Total<Body> = {},
): Paging<Body> =>
  Object.freeze({
    type: 'next url',
    at: given('byNextUrl', at),
    ...withMore('byNextUrl', ended('byNextUrl', options)),
  })

/**
 * The response holds an object whose members all go into the next request, as MediaWiki has it. Paging ends at a page
 * without it.
 *
 * @example
 * .pages(byContinue('continue'))
 */
export const byContinue = <Body>(at: PathTo<Body, object> | Find<Body, object> | InHeader): Paging<Body> =>
  Object.freeze({ type: 'continue', at: given('byContinue', at) })

/**
 * Follows the header `Link: <https://…>; rel="next"`. Paging ends at a page without it.
 *
 * @example
 * .pages(byLinkHeader())
 */
export const byLinkHeader = (rel = 'next'): Paging<unknown> =>
  Object.freeze({ type: 'link header', rel: named('byLinkHeader', rel) })

/**
 * A header of the response holds the value for the next page. Paging ends at a page without it.
 *
 * @example
 * .pages(byHeader('page', 'x-next-page'))
 */
export const byHeader = (parameter: Parameter, header: string): Paging<unknown> =>
  Object.freeze({
    type: 'header',
    parameter: named('byHeader', parameter),
    header: named('byHeader', header).toLowerCase(),
  })

/**
 * A GraphQL connection: sends `pageInfo.endCursor` as the variable `after` while `hasNextPage` is true.
 *
 * @example
 * .pages(byRelay('repository.issues'))
 */
export const byRelay = <Body>(at: ConnectionIn<Body> | Find<Body, Connection>, variable = 'after'): Paging<Body> =>
  Object.freeze({ type: 'relay', at: given('byRelay', at), variable: named('byRelay', variable) })

/** Options of `bySince()`. */
export interface BySinceOptions {
  /** The field of the list's order, where the stream has no `.incremental`. @default the field of `.incremental` */
  field?: string
  /** The API leaves out records with exactly the value of `since`. @default false */
  exclusive?: boolean
  /** The parameter that holds the page size. @default a usual name, such as `limit` or `per_page` */
  limit?: string
}

/**
 * For a list in ascending order of the field of `.incremental`: each request is the first page again, with `since` as
 * the value of the last record. No record is skipped while the list changes, and a position stays good for days. A
 * paginator within reads on where all records of a page have one value.
 *
 * @example
 * api.get<Order[]>('/orders', { updated_since: since, sort: 'updated_at', limit: 100 }).pages(bySince(byPage('page')))
 */
export function bySince<Body>(within?: Paging<Body> | BySinceOptions, options: BySinceOptions = {}): Paging<Body> {
  if (within !== undefined && !isPaginator(within)) return bySince(undefined, within)
  rejectUnknownOptions('bySince()', options, { field: true, exclusive: true, limit: true })
  const { field, exclusive = false, limit } = options
  if (typeof within === 'object' && (within.type === 'one page' || within.type === 'since'))
    throw new UsageError(
      "bySince(): give the paginator that reads on where all records of a page have one value, such as byPage('page')",
    )
  if (typeof exclusive !== 'boolean')
    throw new UsageError(`bySince(): exclusive is true or false, not ${JSON.stringify(exclusive)}`)
  for (const name of [field, limit]) if (name !== undefined) named('bySince', name)
  return Object.freeze({
    type: 'since',
    ...defined({ within, field, exclusive: exclusive ? (true as const) : undefined, limit }),
  })
}

const isPaginator = <Body>(given: Paging<Body> | BySinceOptions): given is Paging<Body> =>
  typeof given === 'function' || 'type' in given

/** Returns the options of a paginator that has only ends. */
function ended<Options>(paginator: string, options: Options): Options {
  rejectUnknownOptions(`${paginator}()`, options, ENDS)
  return options
}
