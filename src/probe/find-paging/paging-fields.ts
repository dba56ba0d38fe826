// Names of a response that belong to its paging: what each of them probably means. A request has to prove it.
import { isObject } from '../find-records.ts'
import type { FoundRecords } from '../found.ts'

/** A member of the body outside of the records. */
export interface PagingField {
  /** A dotted path. */
  readonly path: string
  readonly name: string
  readonly value: unknown
}

export interface PagingFields {
  /** URLs of the next page. */
  readonly urls: readonly PagingField[]
  /** Cursors and tokens of the next page. */
  readonly cursors: readonly PagingField[]
  /** Names of a way on that lead nowhere here, such as `next: null`. */
  readonly ends: readonly PagingField[]
  /** `has_more` and its like. */
  readonly more: PagingField | undefined
  /** `is_last` and its like. */
  readonly done: PagingField | undefined
  /** The number of all records. */
  readonly total: PagingField | undefined
  /** The number of all pages. */
  readonly pages: PagingField | undefined
  /** The number of this page. */
  readonly page: PagingField | undefined
  readonly offset: PagingField | undefined
  /** The page size. */
  readonly size: PagingField | undefined
}

/** Returns a pattern for whole names, whatever their case. */
const whole = (...names: readonly string[]): RegExp => new RegExp(`^(${names.join('|')})$`, 'i')

const WAY_ON = new RegExp(
  '(^|[^a-z])next$|^next|next[_-]?(page|cursor|token|link|ur[il]|href|offset|key|marker|start|batch)' +
    '|continuation|^continue$|scroll_?id',
  'i',
)
/** Inside `next`, `cursors` or `paging` such a name is a cursor too. */
const CURSOR = whole('cursor', 'after', 'page_?token', 'offset', 'bookmark', 'end_?cursor', 'marker', 'token')
const BACKWARDS = /prev|before|first|self|last(?!_?evaluated)/i
const MORE = whole('has_?more(_?(items|results|pages))?', 'has_?next(_?page)?', 'more(_?available)?', 'is_?truncated')
const DONE = whole('is_?last(_?page)?', 'last(_?page)?', 'end_of_(stream|list|results|data)', 'done', 'finished')
const TOTAL = whole(
  'total_?(count|results|records|items|elements|hits|rows|size|entries)?',
  '(record|item|result|row)s?_?(total|count)',
  '@odata\\.count',
  'count',
  'filtered_table_rows_count',
  'nb_?(hits|results)',
  'num_?found',
)
const PAGES = whole('total_?pages', 'pages', 'pages?_?(total|count)', '(num|nb)_?pages', 'last_?page')
const PAGE = whole('current_?page', 'page(_?(number|no|index|num))?', 'number')
const OFFSET = whole('offset', 'skip', 'start(_?(at|index))?', 'from', 'first_?result')
const SIZE = whole(
  'per_?page',
  'page_?(size|limit|length)',
  'limit',
  'size',
  'max_?(results|records)',
  'items_?per_?page',
  'take',
  'top',
  'rows',
)
const MAX_DEPTH = 4

/** Returns the fields of paging in a body, outside of its records. */
export function pagingFields(body: unknown, records: FoundRecords, count: number): PagingFields {
  const fields = records.shape === 'object' ? [] : fieldsIn(body, '', MAX_DEPTH, records.at)
  const first = (name: RegExp, fits: (value: unknown) => boolean): PagingField | undefined =>
    fields.find((field) => name.test(field.name) && fits(field.value))
  const ways = fields.filter(({ path, name }) => isWayOn(path, name))
  const urls = ways.filter(({ value }) => isUrl(value))
  // `offset: 20` is the place of this page; `offset: 'itr…'` leads to the next one.
  const cursors = ways.filter(({ name, value }) => isCursor(value) && !(/^offset$/i.test(name) && isCount(value)))
  const ends = ways.filter(({ value }) => value === null || value === '' || value === false)
  const pages = first(PAGES, (value) => isCount(value))
  return {
    urls,
    cursors,
    ends,
    more: first(MORE, (value) => typeof value === 'boolean'),
    done: first(DONE, (value) => typeof value === 'boolean'),
    total: bestTotal(fields, count),
    pages,
    page: first(PAGE, isCount),
    offset: first(OFFSET, isCount),
    size: first(SIZE, isCount),
  }
}

/** A number below that of the records on this page counts something else. `count` often counts this page only. */
function bestTotal(fields: readonly PagingField[], count: number): PagingField | undefined {
  const totals = fields.filter(({ name, value }) => TOTAL.test(name) && isCount(value) && Number(value) >= count)
  const [above] = totals.filter(({ value }) => Number(value) > count)
  return above ?? totals.find(({ name }) => !/^count$/i.test(name))
}

const isWayOn = (path: string, name: string): boolean => {
  const parents = path.slice(0, path.length - name.length)
  // MediaWiki: `continue: { apcontinue: 'B', continue: '-||' }`. Kubernetes: `metadata: { continue: 'token' }`.
  if (/(^|\.)continue\.$/i.test(parents)) return name !== 'continue'
  if (BACKWARDS.test(name)) return /next/i.test(name) && !/prev/i.test(name)
  if (WAY_ON.test(name) && !MORE.test(name)) return !/prev/i.test(parents)
  const isInNext = /(^|\.)next\.$/i.test(parents)
  if (isInNext) return /^(href|url|link|uri)$/i.test(name) || CURSOR.test(name)
  return CURSOR.test(name) && !BACKWARDS.test(parents)
}

export const isUrl = (value: unknown): value is string =>
  typeof value === 'string' && /^(https?:\/\/|\/(?!\/)|\?[\w$%[])/.test(value) && !/\s/.test(value)

const isCursor = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '' && !isUrl(value)) || typeof value === 'number' || typeof value === 'bigint'

const isCount = (value: unknown): boolean =>
  (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) ||
  (typeof value === 'string' && /^\d{1,15}$/.test(value))

/** Returns the scalars outside of lists, nearest to the top first. */
function fieldsIn(value: unknown, path: string, depth: number, records: string): PagingField[] {
  if (!isObject(value) || depth === 0) return []
  const own: PagingField[] = []
  const below: PagingField[] = []
  for (const [name, member] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`
    if (at === records || Array.isArray(member)) continue
    if (isObject(member)) {
      // A name with a dot may be the last one of a path only.
      if (!name.includes('.')) below.push(...fieldsIn(member, at, depth - 1, records))
    } else own.push({ path: at, name, value: member })
  }
  return [...own, ...below]
}
