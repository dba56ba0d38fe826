import type { InHeader, Parameter } from '../../model/request.ts'
import { compareValues } from './compare-values.ts'
import type { FakeList, Placed } from './fake-list.ts'
import type { FakeAnswer, FakeRequest } from './fake-request.ts'
import type { FakePaging, FakePlace, ListSettings } from './list-options.ts'
import { parameterOf, sizeOf } from './parameters.ts'
import { putValue } from './put-value.ts'

/** What a page differs in from the one that the list has at this moment. */
export interface PageChange {
  /** Leaves the records out. */
  readonly isEmpty?: boolean
  /** Added to the number of records that is stated. */
  readonly wrongBy?: number
}

/** A page, and what it leads to. */
export interface FakePage {
  readonly answer: FakeAnswer
  readonly records: number
  /** Marks this page; undefined for the first one. */
  readonly here: string | undefined
  /** Marks the page that follows; undefined if none does. */
  readonly next: string | undefined
  /** The number of records of the list up to its end. */
  readonly end: number
  /** True if the page states a number of records or of pages. */
  readonly isStating: boolean
}

/** A request that the list does not understand. */
export class BadRequest extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Returns one page of a list, as the request asks for it. Throws `BadRequest`. */
export function servePage(
  request: FakeRequest,
  list: FakeList,
  settings: ListSettings,
  change: PageChange = {},
): FakePage {
  const { walk } = settings
  const rows = selected(request, list, settings)
  const size = pageSize(request, settings)
  const start = startOf(request, rows, settings, size)
  if (settings.maxDepth !== undefined && start.index + size > settings.maxDepth)
    throw new BadRequest(400, `records behind the first ${settings.maxDepth} cannot be read: narrow the range`)
  // An empty page of cursors leads to the same records: the next request gets them.
  const isExtra = change.isEmpty === true && start.isToken
  const page = change.isEmpty ? [] : rows.slice(start.index, start.index + size)
  const end = isExtra ? start.index : start.index + size
  const isLast = end >= rows.length
  if (start.index > 0 && start.index >= rows.length && settings.behindEnd === 404)
    throw new BadRequest(404, 'there is no such page')
  const response = new Response(settings)
  response.put(
    settings.at,
    page.map(({ record }) => record),
  )
  const wrongBy = change.wrongBy ?? 0
  response.put(settings.total, Math.max(0, rows.length + wrongBy))
  response.put(settings.pages, Math.max(1, Math.ceil(rows.length / size) + wrongBy))
  const isDone = 'moreIs' in walk && settings.more === walk.more
  response.put(settings.more, isDone ? isLast : !isLast)
  const next = isLast ? undefined : nextOf({ request, settings, rows, size, end, isExtra })
  lead(response, request, settings, next)
  if (isLast && settings.delta) putDelta(response, request, list, settings)
  return {
    answer: response.answer(),
    records: page.length,
    here: start.mark,
    next: markAfter(page, settings, next),
    end: Math.min(end, rows.length),
    isStating: settings.total !== undefined || settings.pages !== undefined,
  }
}

/** Returns the rows of the range, or those that have changed since the delta token. */
function selected(request: FakeRequest, list: FakeList, { since, delta, walk }: ListSettings): readonly Placed[] {
  const token = delta && parameterOf(request, delta.parameter ?? 'delta')
  const changed = /^delta-(\d+)$/.exec(token ?? '')
  if (token !== undefined && !changed) throw new BadRequest(410, `the token ${token} is not known`)
  let rows = changed ? list.placed.filter(({ change }) => change > Number(changed[1])) : list.placed
  if (since) {
    const [from, to] = [parameterOf(request, since.parameter), since.until && parameterOf(request, since.until)]
    const least = since.exclusive ? 1 : 0
    if (from !== undefined) rows = rows.filter(({ record }) => compareValues(record[since.field], from) >= least)
    if (to !== undefined) rows = rows.filter(({ record }) => compareValues(record[since.field], to) < 0)
  }
  return walk.type === 'one page' && walk.atMost !== undefined ? rows.slice(0, walk.atMost) : rows
}

function pageSize(request: FakeRequest, { walk, paging, ...settings }: ListSettings): number {
  if (walk.type === 'one page' && paging.type === 'one page') return Infinity
  const text = sizeOf(request, settings.size)
  if (text === undefined) return Math.min(settings.pageSize, settings.maxPageSize)
  const asked = Number(text)
  if (!Number.isSafeInteger(asked) || asked < 1) throw new BadRequest(400, `${text} is no number of records`)
  if (asked > settings.maxPageSize && settings.refuseLargerPages)
    throw new BadRequest(400, `a page has at most ${settings.maxPageSize} records`)
  return Math.min(asked, settings.maxPageSize)
}

interface Start {
  readonly index: number
  readonly isToken: boolean
  /** Undefined for the first page. */
  readonly mark: string | undefined
}

function startOf(request: FakeRequest, rows: readonly Placed[], settings: ListSettings, size: number): Start {
  const { walk } = settings
  const from = settings.since && parameterOf(request, settings.since.parameter)
  const range = from === undefined ? undefined : `since ${from}`
  if (walk.type === 'one page' || walk.type === 'since') return { index: 0, isToken: false, mark: range }
  if (walk.type === 'last record') {
    const after = parameterOf(request, walk.parameter)
    const field = settings.orderBy ?? 'id'
    const index = after === undefined ? 0 : rows.findIndex(({ record }) => compareValues(record[field], after) > 0)
    return { index: index < 0 ? rows.length : index, isToken: false, mark: after && `after ${after}` }
  }
  const text = parameterOf(request, parameterName(settings))
  const kind = kindOf(settings)
  const mark = text === undefined ? range : `${kind} ${text}`
  if (kind === 'token') {
    if (text === undefined) return { index: 0, isToken: true, mark }
    const place = placeOf(text)
    const index = rows.findIndex((row) => row.place > place)
    return { index: index < 0 ? rows.length : index, isToken: true, mark }
  }
  const first = firstOf(walk, kind)
  const counted = (text === undefined ? first : Number(text)) - first
  if (!Number.isSafeInteger(counted) || counted < 0) throw new BadRequest(400, `there is no ${kind} ${text}`)
  const index = kind === 'page' ? counted * size : counted
  return { index, isToken: false, mark: index === 0 ? range : mark }
}

/** Marks the page after this one. */
function markAfter(page: readonly Placed[], settings: ListSettings, next: string | undefined): string | undefined {
  const { walk, paging, since, orderBy = 'id' } = settings
  const last = page.at(-1)?.record
  if (walk.type === 'last record') return last && `after ${String(last[orderBy])}`
  if (paging.type === 'since' && since) return last && `since ${String(last[since.field])}`
  return next === undefined ? undefined : `${kindOf(settings)} ${next}`
}

/** What the parameter of the next page is. */
const kindOf = ({ walk, links }: ListSettings): 'token' | 'page' | 'offset' =>
  walk.type === 'page' || walk.type === 'offset' ? walk.type : links

/** The parameter that leads to a page. */
function parameterName({ walk, links }: ListSettings): Parameter {
  switch (walk.type) {
    case 'page':
    case 'offset':
    case 'cursor':
    case 'header':
    case 'last record':
      return walk.parameter
    case 'relay':
      return walk.variable
    case 'next url':
    case 'continue':
    case 'link header':
    case 'one page':
    case 'since':
      return linkParameter({ links })
  }
}

/** The parameter in the URL of the next page. */
const linkParameter = ({ links }: Pick<ListSettings, 'links'>): string => (links === 'token' ? 'cursor' : links)

interface NextPage {
  readonly request: FakeRequest
  readonly settings: ListSettings
  readonly rows: readonly Placed[]
  readonly size: number
  /** The index of the first record of the next page. */
  readonly end: number
  readonly isExtra: boolean
}

/** Returns the value that leads to the next page. */
function nextOf({ request, settings, rows, size, end, isExtra }: NextPage): string {
  const kind = kindOf(settings)
  if (kind === 'token') {
    const place = rows[end - 1]?.place ?? (rows[0]?.place ?? 0) - 1
    return tokenOf(place, isExtra ? request.number : 0)
  }
  const { walk } = settings
  return String((kind === 'offset' ? end : Math.floor(end / size)) + firstOf(walk, kind))
}

/** Returns the number of the first page or record. */
function firstOf(walk: FakePaging, kind: 'page' | 'offset'): number {
  if ('start' in walk) return walk.start
  return kind === 'page' ? 1 : 0
}

/** A token is opaque; `salt` makes another one of the same place. */
const tokenOf = (place: number, salt: number): string => Buffer.from(`${place}/${salt}`).toString('base64url')

function placeOf(token: string): number {
  const found = /^(-?\d+)\/\d+$/.exec(Buffer.from(token, 'base64url').toString())
  if (!found) throw new BadRequest(400, `the cursor ${token} is not known`)
  return Number(found[1])
}

/** Writes the way to the next page, or that there is none. */
function lead(response: Response, request: FakeRequest, settings: ListSettings, next: string | undefined): void {
  const { walk } = settings
  const url = (): string | undefined => next && urlWith(request, settings, linkParameter(settings), next)
  switch (walk.type) {
    case 'cursor':
      return response.put(walk.at as FakePlace, next ?? null)
    case 'header':
      return response.put({ header: walk.header }, next ?? null)
    case 'next url':
      return response.put(walk.at as FakePlace, url() ?? null)
    case 'continue':
      return response.put(walk.at as FakePlace, next === undefined ? null : { [linkParameter(settings)]: next })
    case 'link header':
      return response.put({ header: 'link' }, next === undefined ? null : `<${url()}>; rel="${walk.rel}"`)
    case 'relay':
      return response.put(`${String(walk.at)}.pageInfo`, { hasNextPage: next !== undefined, endCursor: next ?? null })
    case 'page':
    case 'offset':
    case 'last record':
    case 'one page':
    case 'since':
      return undefined
  }
}

function putDelta(response: Response, request: FakeRequest, list: FakeList, settings: ListSettings): void {
  const { at = '', parameter } = settings.delta ?? {}
  const token = `delta-${list.change}`
  response.put(at, parameter === undefined ? urlWith(request, settings, 'delta', token, true) : token)
}

/** Returns the request's URL with another value of a parameter, as the client knows the API's address. */
function urlWith(
  { url, headers }: FakeRequest,
  { relativeLinks, links }: ListSettings,
  name: string,
  value: string,
  isFirst = false,
): string {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  if (isFirst) searchParams.delete(linkParameter({ links }))
  searchParams.set(name, value)
  const prefix = relativeLinks ? '' : addressOf(headers)
  return `${prefix}${pathname}?${searchParams.toString()}`
}

/** The origin and the path that a proxy stands for, by the usual headers. */
function addressOf(headers: FakeRequest['headers']): string {
  const of = (name: string): string | undefined => headers[name]?.toString()
  const host = of('x-forwarded-host') ?? of('host') ?? ''
  return `${of('x-forwarded-proto') ?? 'http'}://${host}${of('x-forwarded-prefix') ?? ''}`
}

/** A response in the making: values at paths of the body, and in headers. */
class Response {
  readonly #settings: ListSettings
  readonly #headers: Record<string, string> = {}
  #body: unknown

  constructor(settings: ListSettings) {
    this.#settings = settings
    this.#body = { ...settings.members }
  }

  put(place: FakePlace | InHeader | undefined, value: unknown): void {
    if (place === undefined) return
    if (typeof place === 'object') {
      if (value !== null) this.#headers[place.header] = typeof value === 'string' ? value : JSON.stringify(value)
    } else if (place === '') this.#body = value
    else putValue(this.#body as Record<string, unknown>, place, value)
  }

  answer(): FakeAnswer {
    return { headers: this.#headers, json: this.#settings.graphql ? { data: this.#body } : this.#body }
  }
}
