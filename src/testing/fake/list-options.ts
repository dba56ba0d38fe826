import { UsageError } from '../../model/errors.ts'
import type { InHeader, Paging } from '../../model/request.ts'
import { byCursor, byHeader, byLastRecord, byLinkHeader, byNextUrl, byOffset } from '../../define/api/paging.ts'
import { byPage, byRelay, bySince, inHeader, onePage } from '../../define/api/paging.ts'
import type { FakeRecord } from './fake-records.ts'

/** A place in a response: a path of the body, or a header by `inHeader()`. */
export type FakePlace = string | InHeader

/** The ways to page that a fake API knows by a name, with usual names of parameters and members. */
export type FakeStyle = keyof typeof STYLES

/**
 * The paginator that reads each way to page, as the fake API serves it by default.
 *
 * | style | word |
 * |---|---|
 * | `one page` | `onePage()` |
 * | `page` | `byPage('page')` |
 * | `page of pages` | `byPage('page', { pages: 'pages' })` |
 * | `page with more` | `byPage('page', { more: 'has_more' })` |
 * | `offset` | `byOffset('offset')` |
 * | `offset of total` | `byOffset('offset', { total: 'total' })` |
 * | `cursor` | `byCursor('cursor', 'next_cursor')` |
 * | `cursor in header` | `byCursor(inHeader('x-cursor'), inHeader('x-next-cursor'))` |
 * | `last record` | `byLastRecord('after', 'items.id')` |
 * | `next url` | `byNextUrl('next')` |
 * | `link header` | `byLinkHeader()` |
 * | `header` | `byHeader('page', 'x-next-page')` |
 * | `relay` | `byRelay('items')`, a GraphQL API |
 * | `since` | `bySince(byPage('page'))` in ascending order of `updated_at` |
 */
const STYLES = {
  'one page': onePage(),
  page: byPage('page'),
  'page of pages': byPage('page', { pages: 'pages' }),
  'page with more': byPage('page', { more: 'has_more' }),
  offset: byOffset('offset'),
  'offset of total': byOffset('offset', { total: 'total' }),
  cursor: byCursor('cursor', 'next_cursor'),
  'cursor in header': byCursor(inHeader('x-cursor'), inHeader('x-next-cursor')),
  'last record': byLastRecord('after', 'items.id'),
  'next url': byNextUrl('next'),
  'link header': byLinkHeader(),
  header: byHeader('page', 'x-next-page'),
  relay: byRelay('items'),
  since: bySince(byPage('page'), { field: 'updated_at' }),
} as const satisfies Readonly<Record<string, Paging<unknown>>>

/** The paginator for each style, as `.pages()` takes it. */
export const fakeStyles: Readonly<Record<FakeStyle, Paging<unknown>>> = Object.freeze(STYLES)

/** One list of a fake API. */
export interface FakeListOptions {
  /**
   * How its pages follow each other: the word that the pipeline gives to `.pages()`, or the name of a style. The fake
   * API has the word's parameters, and states what the word names. @default 'page'
   */
  readonly paging?: FakeStyle | Paging<unknown> | PagingOfBody
  /** The records, or how many are generated; a function gets the values of `:name` in the path. @default 25 */
  readonly records?: FakeRecords | ((parameters: Readonly<Record<string, string>>) => FakeRecords | undefined)
  /** The records of a page, if the request names no number. @default 10 */
  readonly pageSize?: number
  /** The most records of a page, whatever the request asks for. @default 100 */
  readonly maxPageSize?: number
  /** A request for more than `maxPageSize` gets status 400, instead of fewer records. @default false */
  readonly refuseLargerPages?: boolean
  /** The parameter that asks for a number of records. @default any usual name, such as `limit` or `per_page` */
  readonly size?: string
  /** Where the records are in the body; `''` is the body itself. @default 'items' */
  readonly at?: string
  /** Where the number of all records is. @default where the word names it, else nowhere */
  readonly total?: FakePlace
  /** Where the number of pages is. @default where the word names it, else nowhere */
  readonly pages?: FakePlace
  /** Where it is said that more follows. @default where the word names it, else nowhere */
  readonly more?: FakePlace
  /**
   * The parameter and the field by which a request asks for changes. @default none; for `bySince()` the parameter
   * `since`
   */
  readonly since?: FakeSince
  /** The field whose order the list has. @default that of the records, or the field of `since` and `last record` */
  readonly orderBy?: string
  /**
   * What a cursor, a URL or a link holds: a token that marks the place, or a number. @default 'token'; 'page' for
   * `byHeader()`
   */
  readonly links?: 'token' | 'page' | 'offset'
  /** URLs in responses have no origin. @default false */
  readonly relativeLinks?: boolean
  /**
   * Where the last page has a token with which the next reading asks for changes, and the token's parameter.
   * @default none
   */
  readonly delta?: { readonly at: FakePlace; readonly parameter?: string }
  /** The API returns no records behind this number of them: status 400. @default no limit */
  readonly maxDepth?: number
  /** What a page behind the end is. @default 'empty' */
  readonly behindEnd?: 'empty' | 404
  /** Other members of each body, such as `{ ok: true }`. @default none */
  readonly members?: FakeRecord
  /** Requests are GraphQL: parameters are variables, and the body is in `data`. @default only for `byRelay` */
  readonly graphql?: boolean
}

/** Records, or the number of generated ones. */
export type FakeRecords = number | readonly object[]

/** How a list takes the start of a range. */
export interface FakeSince {
  readonly parameter: string
  readonly field: string
  /** Leaves out records with exactly the value. @default false */
  readonly exclusive?: boolean
  /** The parameter of the range's end, which is not included. @default none */
  readonly until?: string
}

/** A paginator for a body of any type, such as one that the pipeline's file exports. */
export type PagingOfBody = { readonly type: FakePaging['type'] } | ((...given: never) => unknown)

/** Paging as data: every word except a function. */
export type FakePaging = Exclude<Paging<unknown>, (...args: never) => unknown>

/** A list with its defaults. */
export interface ListSettings extends FakeListOptions {
  readonly paging: FakePaging
  /** The paginator of pages: that within `bySince()`. */
  readonly walk: FakePaging
  readonly pageSize: number
  readonly maxPageSize: number
  readonly at: string
  readonly links: 'token' | 'page' | 'offset'
  readonly graphql: boolean
}

/** The options of a list. */
export const LIST_OPTIONS: readonly (keyof FakeListOptions)[] = [
  'paging',
  'records',
  'pageSize',
  'maxPageSize',
  'refuseLargerPages',
  'size',
  'at',
  'total',
  'pages',
  'more',
  'since',
  'orderBy',
  'links',
  'relativeLinks',
  'delta',
  'maxDepth',
  'behindEnd',
  'members',
  'graphql',
]

/** Returns the options with their defaults. Throws `UsageError` for a list that cannot be served. */
export function listSettings(options: FakeListOptions, path: string): ListSettings {
  const paging = pagingOf(options.paging ?? 'page', path)
  const walk = paging.type === 'since' ? pagingOf(paging.within ?? onePage(), path) : paging
  const { pageSize = 10, maxPageSize = 100 } = options
  for (const [name, value] of Object.entries({ pageSize, maxPageSize })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError(`fakeApi(): ${name} of ${path} must be a whole number from 1, not ${value}`)
  }
  const settings: ListSettings = {
    ...options,
    ...placesOf(walk),
    ...defaultsOf(paging, path, options),
    paging,
    walk,
    pageSize,
    maxPageSize,
    graphql: options.graphql ?? walk.type === 'relay',
    links: options.links ?? (walk.type === 'header' ? 'page' : 'token'),
  }
  checkPlaces(settings, path)
  return settings
}

function pagingOf(given: FakeStyle | Paging<unknown> | PagingOfBody, path: string): FakePaging {
  if (typeof given === 'string') {
    if (Object.hasOwn(STYLES, given)) return STYLES[given] as FakePaging
    throw new UsageError(
      `fakeApi(): there is no style ${JSON.stringify(given)} for ${path}. ` +
        `The styles are ${Object.keys(STYLES).join(', ')}`,
    )
  }
  if (typeof given !== 'function') return given as FakePaging
  throw new UsageError(`fakeApi(): a paginator that is a function cannot be served. Give ${path} another word`)
}

/** Returns the places that a word names. The options of the list win. */
function placesOf(walk: FakePaging): Partial<FakeListOptions> {
  const places: Record<string, unknown> = {}
  for (const name of ['total', 'pages', 'more'] as const)
    if (name in walk) places[name] = walk[name as keyof FakePaging]
  return places
}

function defaultsOf(
  paging: FakePaging,
  path: string,
  { at, since, orderBy, total, pages, more }: FakeListOptions,
): { at: string } & Partial<FakeListOptions> {
  const given = Object.fromEntries(Object.entries({ total, pages, more }).filter(([, place]) => place !== undefined))
  const walk = paging.type === 'since' ? paging.within : paging
  if (typeof walk === 'object' && walk.type === 'relay') {
    if (typeof walk.at !== 'string') throw unknownPlace(path, 'byRelay()')
    return { at: at ?? `${walk.at}.nodes`, ...given }
  }
  if (paging.type === 'last record') {
    if (typeof paging.at !== 'string') throw unknownPlace(path, 'byLastRecord()')
    const dot = paging.at.lastIndexOf('.')
    return { at: at ?? paging.at.slice(0, Math.max(dot, 0)), orderBy: orderBy ?? paging.at.slice(dot + 1), ...given }
  }
  if (paging.type !== 'since') return { at: at ?? 'items', ...(since && { orderBy: orderBy ?? since.field }), ...given }
  const field = since?.field ?? paging.field ?? 'updated_at'
  const own = { parameter: 'since', field, ...(paging.exclusive && { exclusive: true }) }
  return { at: at ?? 'items', since: since ?? own, orderBy: orderBy ?? field, ...given }
}

/** Throws for a place that the fake API cannot write to. */
function checkPlaces({ walk, at, total, pages, more, delta }: ListSettings, path: string): void {
  const link = 'at' in walk && walk.type !== 'relay' && walk.type !== 'last record' ? walk.at : undefined
  for (const [name, place] of Object.entries({ link, total, pages, more, delta: delta?.at })) {
    if (place === undefined || (typeof place === 'object' && 'header' in place)) continue
    if (typeof place !== 'string') throw unknownPlace(path, name)
    if (at === '')
      throw new UsageError(
        `fakeApi(): the body of ${path} is the list of records, so it has no '${place}'. Give at, or use inHeader()`,
      )
  }
}

const unknownPlace = (path: string, name: string): UsageError =>
  new UsageError(
    `fakeApi(): ${name} of ${path} is a function or a condition, which reads a place and cannot write one. ` +
      "Give its path, such as 'meta.next'",
  )
