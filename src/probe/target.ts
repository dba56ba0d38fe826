// The URL that a person gives: the base of the API, the path of the list, and which of its parameters are paging.
import { basename } from 'node:path'
import { UsageError } from '../model/errors.ts'
import type { PageRequest } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'
import { defined } from '../value/defined.ts'
import { portProblem } from '../value/port.ts'
import { isOffsetName } from './find-paging/by-offset.ts'
import { isPageName } from './find-paging/by-page.ts'
import { isSizeName } from './find-paging/sizes.ts'
import type { FoundRecords } from './found.ts'
import { streamName } from './write/names.ts'

export interface Target {
  readonly base: string
  readonly path: string
  /** Without the place in the list. */
  readonly query: PageRequest['query']
  /** Parameters of paging: the place in the list, and the page size. */
  readonly given: Readonly<Record<string, string>>
  /** The query of the first request. */
  readonly first: PageRequest['query']
  /** The name of the stream; undefined if no segment of the path says what is listed. */
  readonly stream?: string
  /** The name of the pipeline. */
  readonly name: string
}

/** Segments up to one of these belong to the base. */
const BASE_END = /^(v\d[\w.-]*|api|rest|odata|jsonapi|wp-json)$/i
const PLACE = /^(cursor|page_?token|after|starting_after|start_?after|continuation|marker|since_id|next)$/i

/** Parameters whose values would be secrets in a file, besides those that no message shows. */
const SECRET_PARAMETER = new RegExp(
  '([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|app_?id(?==[0-9a-f]{20})|app_?key|h?apikey|' +
    '(?:api|private|session|user)_?token|access_?key|auth(?:_?key|_?token)?|subscription-key|jwt|session_?id|' +
    'credentials?)=)[^&#]+',
  'gi',
)

/** Reads the URL. Throws a UsageError for what is none, or for a secret in it. */
export function readTarget(text: string): Target {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError(
      `${JSON.stringify(text)} is not a URL${portProblem(text)}. Give one, as in https://api.example/v1/orders`,
    )
  if (url.username !== '' || url.password !== '')
    throw new UsageError('The URL contains credentials. Give them by --auth basic:USER:PASSWORD_VARIABLE')
  const shown = redactUrl(url).replaceAll(SECRET_PARAMETER, '$1***')
  if (shown.includes('***') && !url.href.includes('***'))
    throw new UsageError(
      `The URL contains a secret: ${shown}. Set it as an environment variable, and give --auth ` +
        'query:PARAMETER:VARIABLE',
    )
  const segments = url.pathname.split('/').filter((segment) => segment !== '')
  const end = segments.slice(0, -1).findLastIndex((segment) => BASE_END.test(segment)) + 1
  const given: Record<string, string> = {}
  const query: Record<string, string | string[]> = {}
  const first: Record<string, string | string[]> = {}
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name)
    const [value = ''] = values
    const isPlace = isPageName(name) || isOffsetName(name) || PLACE.test(name)
    if (isPlace || isSizeName(name)) given[name] = value
    if (!isPlace) query[name] = values.length === 1 ? value : values
    // A reading begins with the first page, wherever the URL stands. Some lists have pages only if one is named.
    if (!isPlace || (isPageName(name) && value === '1')) first[name] = values.length === 1 ? value : values
  }
  const stream = streamOf(segments)
  const base =
    url.origin +
    segments
      .slice(0, end)
      .map((segment) => `/${segment}`)
      .join('')
  const path = `/${segments.slice(end).join('/')}${url.pathname.endsWith('/') && segments.length > end ? '/' : ''}`
  return { base, path, query, given, first, ...defined({ stream }), name: pipelineName(url.hostname) ?? stream ?? ANY }
}

/** Returns the name of the pipeline: a given one, or that of the host. */
export const nameFor = (target: Pick<Target, 'name'>, given: string | undefined): string =>
  given === undefined ? target.name : streamName(given)

/** Returns the name that the options of a command give: `--name`, or else that of the file `--out`. */
export const givenName = ({ name, out }: { readonly name?: string; readonly out?: string }): string | undefined =>
  name ?? (out === undefined ? undefined : basename(out).replace(/\..*$/, '') || undefined)

/** A last segment that every list may have. */
const GENERIC = /^(records?|items?|list|data|search|query|results?|entries|rows|values?|objects|content)$/i
/** A name for records of which nothing is known. */
const ANY = 'records'

/** Returns the name of the stream: by the path of the URL, else by the list's name in the response, if it says more. */
export function streamFor({ stream }: Pick<Target, 'stream'>, { at }: Pick<FoundRecords, 'at'>): string {
  const list = at.split('.').at(-1) ?? ''
  return stream ?? (list === '' || GENERIC.test(list) ? ANY : streamName(list))
}

/**
 * Returns the last segment that is no id, without an ending such as `.json`: `tasks` of `/collections/tasks/records`,
 * and `items` of `/orders/17/items`, which are no orders.
 */
function streamOf(segments: readonly string[]): string | undefined {
  const names = segments.map((segment) =>
    decodeURIComponent(segment).replace(/\.(json|csv|tsv|ndjson|jsonl|xml|php)$/i, ''),
  )
  const last = names.findLastIndex(isKind)
  const before = names[last - 1]
  const isGeneric = GENERIC.test(names[last] ?? '') && before !== undefined && isKind(before)
  const name = isGeneric ? before : names[last]
  return name === undefined ? undefined : streamName(name)
}

/** True if a segment says what is listed: it is no id, no version and no `api`. */
const isKind = (segment: string): boolean =>
  /[a-z]/i.test(segment) && !/^[0-9a-f-]{16,}$|^\d/i.test(segment) && !BASE_END.test(segment)

/** `api.shop.example` → `shop`; undefined for an address. */
function pipelineName(host: string): string | undefined {
  if (host === 'localhost' || /^[\d.]+$|:|\[/.test(host)) return undefined
  const labels = host.split('.')
  const names = labels.slice(0, /^(com?|org|net|gov|ac)$/.test(labels.at(-2) ?? '') ? -2 : -1)
  const name = names.findLast((label) => !/^(www|api|rest|data|v\d+)$/.test(label)) ?? labels[0]
  return name === undefined ? undefined : streamName(name)
}
