// Finds what a response says about further records where its paginator does not look.
import type { ApiResponse } from '../../model/request.ts'
import type { ReadingState } from './reading-state.ts'

/** Names such as `next`, `nextPageToken`, `next_cursor`, `@odata.nextLink` and `continuationToken`. */
const WAY_ON = new RegExp(
  '(^|[^a-z])next$|next[_-]?(page|cursor|token|link|ur[il]|href|offset|key|marker|start|batch|records?_?url)' +
    '|continuation|^continue$|scroll_?id',
  'i',
)
/** On a first page such a name leads on. Later it may repeat what the request has sent. */
const FIRST_WAY_ON = /^(cursor|page_?token)$/i
/** Names of fields that say whether more pages follow, such as `has_more` and `hasNextPage`. */
const MORE = /^(has_?more|has_?next(_?page)?|more)$/i
/** Names of fields that say whether this is the last page, such as `isLast` and `end_of_stream`. */
const LAST = /^(is_?last(_?page)?|last_?page|end_of_(stream|list|results|data))$/i
/** Names of a number of all records, and of all pages. */
const RECORDS = new RegExp(
  '^(total_?(count|results|records|items|elements|hits|rows|size|entries)' +
    String.raw`|(record|item|result|row)s?_?(total|count)|@odata\.count)$`,
  'i',
)
const PAGES = /^(total_?pages|pages?_?(total|count)|num_?pages|last_?page)$/i
/** Such a name is a number of all records only beside other names of paging: elsewhere it may be a sum of money. */
const RECORDS_BESIDE = /^(total|count)$/i
const PAGES_BESIDE = /^pages$/i
const PAGING = /^_?(meta(data)?|pag(e|es|ing|er|ination)|page_?info)$/i
const PAGING_MEMBER = /^(limit|offset|skip|page|per_?page|page_?size|page_?number|start_?at|max_?results)$/i
const MAX_DEPTH = 3

export interface Hints {
  /** Quoted names that say that more follows, such as `'next_cursor'`. */
  readonly names: readonly string[]
  /** True if a name such as `has_more` or `next_cursor` says that nothing follows. */
  readonly saysNoMore: boolean
  /** Quoted names such as `'has_more'` that are true, or `'is_last' (false)`: they say plainly that more follows. */
  readonly saysMore: readonly string[]
}

/**
 * Returns what the body and the headers say about more records than the reading has, outside of lists and records.
 * `total`: the number of all records that the paginator reads itself, which is no news.
 */
export function hintsIn(
  {
    body,
    headers,
    records: own = [],
  }: Pick<ApiResponse<unknown>, 'body' | 'headers'> & Partial<Pick<ApiResponse<unknown>, 'records'>>,
  { records, pages }: Pick<ReadingState, 'records' | 'pages'>,
  total?: number,
): Hints {
  const found: Found = { ways: [], totals: [], saysMore: [], deniesMore: false, deniesWay: false }
  search(body, '', { depth: MAX_DEPTH, isPaging: false, records, pages, total, own }, found)
  const names = Object.entries(headers).filter(([name, value]) => WAY_ON.test(name) && pointsOn(value))
  const ways = [...found.ways, ...names.map(([name]) => `the header '${name}'`)]
  // `has_more: false` is plain; a way on that is null says less than another one that leads somewhere.
  const saysNoMore = found.deniesMore || (found.deniesWay && ways.length === 0)
  return { names: [...(saysNoMore ? [] : ways), ...found.totals], saysNoMore, saysMore: found.saysMore }
}

interface Found {
  readonly ways: string[]
  readonly totals: string[]
  readonly saysMore: string[]
  deniesMore: boolean
  deniesWay: boolean
}

interface Place extends Pick<ReadingState, 'records' | 'pages'> {
  readonly depth: number
  /** True inside a member such as `meta`. */
  readonly isPaging: boolean
  readonly total: number | undefined
  /** Records of the response: one of them may be the body. */
  readonly own: readonly unknown[]
}

function search(value: unknown, path: string, place: Place, found: Found): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || place.depth === 0) return
  if (place.own.length === 1 && value === place.own[0]) return
  const members = Object.entries(value)
  const isPaging = place.isPaging || members.some(([name]) => PAGING_MEMBER.test(name))
  for (const [name, member] of members) {
    const at = path === '' ? name : `${path}.${name}`
    const most = totalOf(name, isPaging, place)
    if (most !== undefined && isAbove(member, most)) {
      if (Number(member) !== place.total) found.totals.push(`'${at}' (${String(member)})`)
    } else if (MORE.test(name)) {
      if (member === true) found.ways.push(`'${at}'`)
      if (member === true && name.toLowerCase() !== 'more') found.saysMore.push(`'${at}'`)
      if (member === false) found.deniesMore = true
    } else if (LAST.test(name) && typeof member === 'boolean') {
      if (member) found.deniesMore = true
      else {
        found.ways.push(`'${at}' (false)`)
        found.saysMore.push(`'${at}' (false)`)
      }
    } else if (WAY_ON.test(name) || (place.pages === 1 && FIRST_WAY_ON.test(name))) {
      if (pointsOn(member)) {
        found.ways.push(`'${at}'`)
        if (isContinue(name, member)) found.saysMore.push(`'${at}'`)
      } else if (member === null || member === '' || member === false) found.deniesWay = true
    } else search(member, at, { ...place, depth: place.depth - 1, isPaging: isPaging || PAGING.test(name) }, found)
  }
}

/** Returns what a number of this name is compared with; undefined if the name is of no total. */
function totalOf(name: string, isPaging: boolean, { records, pages }: Place): number | undefined {
  if (RECORDS.test(name) || (isPaging && RECORDS_BESIDE.test(name))) return records
  return PAGES.test(name) || (isPaging && PAGES_BESIDE.test(name)) ? pages : undefined
}

const isAbove = (member: unknown, most: number): boolean =>
  (typeof member === 'number' && Number.isSafeInteger(member) && member > most) ||
  (typeof member === 'string' && /^\d{1,15}$/.test(member) && Number(member) > most)

/**
 * True for `continue: { clcontinue: '31|B', continue: '||' }`, as MediaWiki answers. Its other members come and go, so
 * that a missing one is no end.
 */
const isContinue = (name: string, member: unknown): boolean =>
  name === 'continue' && typeof member === 'object' && member !== null && 'continue' in member

/** True for text, a number, and an object with a URL, such as `next: { href: '…' }`. */
function pointsOn(value: unknown): boolean {
  if (typeof value === 'object' && value !== null)
    return ['href', 'url', 'cursor', 'continue'].some(
      (name) => name in value && pointsOn((value as Record<string, unknown>)[name]),
    )
  return (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'bigint'
}
