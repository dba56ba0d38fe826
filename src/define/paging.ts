import { UsageError } from '../model/errors.ts'
import type { PathTo } from '../model/path.ts'
import type { Paging } from '../model/request.ts'
import { rejectRenamedWords } from './renamed-words.ts'
import type { ConnectionIn, Connection, InRecords } from './paging-types.ts'

// The unions below are written out, not named: the compiler's message then lists the paths instead of the name.
type Find<Body, Value> = (body: Body) => Value | null | undefined

interface More<Body> {
  /** Paging ends when this is false, whatever else the page says; while it is true, the page must say how to go on. */
  more?: PathTo<Body, boolean> | Find<Body, boolean>
}

const FORMER_NAMES = { first: 'start', last: 'max' }

/** The first answer is the whole of it. */
export const onePage = (): Paging<unknown> => Object.freeze({ type: 'one page' })

/**
 * `?page=1`, `?page=2` … until a page is empty, `pages` or `max` are reached, or `more` is false, whichever comes
 * first. With `pages` they are asked concurrently.
 */
export function byPage<Body>(
  parameter: string,
  options: More<Body> & {
    /** The number of the first page. @default 1 */
    start?: number
    /** How many pages there are: a count of pages, not of records. */
    pages?: PathTo<Body, number | string> | Find<Body, number | string>
    /** The last page that is asked. */
    max?: number
  } = {},
): Paging<Body> {
  rejectRenamedWords('byPage()', options, FORMER_NAMES)
  const { start = 1, ...ends } = options
  whole('byPage', { start, max: ends.max })
  return Object.freeze({ type: 'page', parameter: named('byPage', parameter), start, ...ends })
}

/**
 * `?offset=0`, then on by as many records as came, until a page is empty, `total` records have been read, or `max` is
 * reached.
 */
export function byOffset<Body>(
  parameter: string,
  options: More<Body> & {
    /** Where the first page begins. @default 0 */
    start?: number
    /** How many records there are. */
    total?: PathTo<Body, number | string> | Find<Body, number | string>
    /** The greatest offset that is asked. */
    max?: number
  } = {},
): Paging<Body> {
  rejectRenamedWords('byOffset()', options, FORMER_NAMES)
  const { start = 0, ...ends } = options
  whole('byOffset', { start, max: ends.max })
  return Object.freeze({ type: 'offset', parameter: named('byOffset', parameter), start, ...ends })
}

/** The body names the next page; paging ends where it names none. */
export const byCursor = <Body>(
  parameter: string,
  at: PathTo<Body, string | number> | Find<Body, string | number>,
  options: More<Body> = {},
): Paging<Body> =>
  Object.freeze({ type: 'cursor', parameter: named('byCursor', parameter), at: given('byCursor', at), ...options })

/** The last record names the next page: `byLastRecord('starting_after', 'data.id')`. Paging ends at an empty page. */
export const byLastRecord = <Body>(parameter: string, at: InRecords<Body>, options: More<Body> = {}): Paging<Body> =>
  Object.freeze({
    type: 'last record',
    parameter: named('byLastRecord', parameter),
    at: given('byLastRecord', at),
    ...options,
  })

/** The body holds the next page's URL, whole or relative. */
export const byNextUrl = <Body>(
  at: PathTo<Body, string> | Find<Body, string>,
  options: More<Body> = {},
): Paging<Body> => Object.freeze({ type: 'next url', at: given('byNextUrl', at), ...options })

/** `Link: <https://…>; rel="next"`. */
export const byLinkHeader = (rel = 'next'): Paging<unknown> =>
  Object.freeze({ type: 'link header', rel: named('byLinkHeader', rel) })

/** A header names the next page: `byHeader('page', 'x-next-page')`. */
export const byHeader = (parameter: string, header: string): Paging<unknown> =>
  Object.freeze({
    type: 'header',
    parameter: named('byHeader', parameter),
    header: named('byHeader', header).toLowerCase(),
  })

/**
 * GraphQL connections: `byRelay('repository.issues')` reads its `pageInfo` and sends `endCursor` as the variable
 * `after`.
 */
export const byRelay = <Body>(at: ConnectionIn<Body> | Find<Body, Connection>, variable = 'after'): Paging<Body> =>
  Object.freeze({ type: 'relay', at: given('byRelay', at), variable: named('byRelay', variable) })

function named(paginator: string, name: string): string {
  if (typeof name !== 'string' || name.trim() === '')
    throw new UsageError(
      `${paginator}(): a name is missing: say which parameter, header or relation leads to the next page`,
    )
  return name
}

function given<From>(paginator: string, at: From): From {
  if ((typeof at !== 'string' || at === '') && typeof at !== 'function')
    throw new UsageError(
      `${paginator}(): say where an answer names the next page: by a path such as 'meta.next', or a function`,
    )
  return at
}

function whole(paginator: string, numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new UsageError(`${paginator}(): ${name} must be a whole number from 0, not ${value}`)
  }
}
