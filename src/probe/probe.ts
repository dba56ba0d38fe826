// Asks an API what it is like, by a few requests, and returns what a pipeline file would say of it.
import type { Api } from '../model/request.ts'
import type { Secrets } from '../model/scope.ts'
import { defined } from '../value/defined.ts'
import { readAuth, readHeaders } from './auth-option.ts'
import { describeFound, type Fact, type FoundList } from './describe-found.ts'
import { findCursor } from './find-cursor.ts'
import { findFilter } from './find-filter.ts'
import { findKey } from './find-key.ts'
import { findPageSize, findSizeOfPages, type FoundPageSize } from './find-page-size.ts'
import { findPaging, type PagingResult } from './find-paging/find-paging.ts'
import type { ProbedPage } from './find-paging/page.ts'
import { Probing } from './find-paging/probing.ts'
import { isSizeName } from './find-paging/sizes.ts'
import { findRecords, recordsIn, type RecordsPlace } from './find-records.ts'
import type { Found } from './found.ts'
import { refusalOf } from './refusal.ts'
import { Sender, type Answer, type SendEvents } from './send.ts'
import { nameFor, readTarget, streamFor } from './target.ts'

export type { Fact } from './describe-found.ts'

export interface ProbeOptions extends SendEvents {
  /** As `--auth` gives them. @default none */
  readonly auth?: readonly string[]
  /** As `--header` gives them. @default none */
  readonly headers?: readonly string[]
  /** The name of the pipeline. @default by the host */
  readonly name?: string | undefined
  readonly secrets: Secrets
  readonly signal: AbortSignal
  readonly now?: Date
}

export interface Probed {
  /** Undefined if there is nothing to write. */
  readonly found?: Found
  readonly facts: readonly Fact[]
  /** Why nothing was found, and what to do. */
  readonly problem?: string
}

/**
 * Probes a URL. Sends at most `MAX_REQUESTS` requests, one after the other. Throws a UsageError for wrong options.
 *
 * @example
 * const { found, problem } = await probe('https://api.example/v1/orders', { secrets, signal })
 */
export async function probe(url: string, options: ProbeOptions): Promise<Probed> {
  const { secrets, signal, onRequest, onAnswer, onRetry } = options
  const target = readTarget(url)
  const auth = (options.auth ?? []).map((text) => readAuth(text, secrets))
  const headers = readHeaders(options.headers ?? [])
  const api: Api = { base: target.base, auth, headers, attempts: 2, timeout: '30s', concurrency: 1 }
  await using sender = new Sender({ api, secrets, signal, ...defined({ onRequest, onAnswer, onRetry }) })
  const answer = await sender.get(target.path, target.first)
  const problem = refusalOf(answer, auth)
  if (problem !== undefined) return { facts: [], problem }
  const place = findRecords(answer.body)
  const records = place && recordsIn(answer.body, place.records)
  if (!place || !records || records.length === 0) return { facts: [], problem: withoutRecords(answer, place) }
  const { key } = findKey(records, streamFor(target, place.records))
  const { path, query, given } = target
  const first = new Probing({ sender, path, query, given, answer, records: place.records, key })
  const list = await probeList(first)
  const name = nameFor(target, options.name)
  return describeFound({ ...list, answer, place, target, auth, headers, name, now: options.now ?? new Date() })
}

/** Requests that the filter of a cursor may cost: all names at once, then halves of them. */
const FOR_FILTER = 5

async function probeList(first: Probing): Promise<FoundList> {
  const paging = await findPaging(first)
  const { proven } = paging
  const isList = first.options.records.shape !== 'object'
  const [needed] = Object.keys(proven?.query ?? {})
  // The last record alone stands at its offset, so the first page was the whole list.
  const isNeeded = needed !== undefined && proven?.page.records.length === 1
  const sizeParameter = needed ?? proven?.sizeParameter ?? paging.probing.options.sizeParameter
  const cursor = isList ? findCursor(first.first.records) : undefined
  const keep = cursor && !cursor.isCreation ? FOR_FILTER : 0
  const size = isList && proven ? await sizeOf(first, paging, { sizeParameter, isNeeded, keep }) : undefined
  const pages = [first, ...(proven ? [proven] : []), ...(size ? [size] : [])].map((one) =>
    'first' in one ? one.first : one.page,
  )
  const { filter, said } = cursor && !cursor.isCreation ? await findFilter(first, cursor) : {}
  // Records of deletions lack fields, and runs that read on get them.
  const marked = filter?.deletedBy === undefined ? [] : filter.page.records
  const sample = different([...pages.flatMap(({ records }) => records), ...marked])
  return { paging, size, cursor, filter, said, sample }
}

async function sizeOf(
  first: Probing,
  { proven, probing }: PagingResult,
  {
    sizeParameter,
    isNeeded,
    keep,
  }: { readonly sizeParameter: string | undefined; readonly isNeeded: boolean; readonly keep: number },
): Promise<FoundPageSize | undefined> {
  const paging = proven?.paging
  const sent = proven ? addedBy(proven.page, first) : []
  const parameter =
    paging && 'parameter' in paging && typeof paging.parameter === 'string'
      ? paging.parameter
      : sent.find((name) => !isSizeName(name))
  const known = sizeParameter ?? sent.find(isSizeName)
  const size = await findPageSize(first, { sizeParameter: known, parameter, isNeeded, keep })
  if (size || sizeParameter !== undefined || paging?.type !== 'page' || parameter === undefined) return size
  return findSizeOfPages(probing, { parameter, start: paging.start ?? 1 })
}

/** Returns the parameters of a page that the first page has not: those of a URL that the API has given, too. */
function addedBy({ answer }: ProbedPage, first: Probing): string[] {
  const own = URL.parse(first.options.answer.url)?.searchParams
  return [...(URL.parse(answer.url)?.searchParams.keys() ?? [])].filter((name) => !own?.has(name))
}

function different(records: readonly unknown[]): unknown[] {
  const texts = new Map(
    records.map((record) => [
      JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
      record,
    ]),
  )
  return [...texts.values()]
}

function withoutRecords({ body }: Answer, place: RecordsPlace | undefined): string {
  if (place)
    return 'The API answered a list without records, so their fields are not known. Give a URL that returns some.'
  const what = Array.isArray(body) ? 'a list of values that are no objects' : `a ${typeof body}`
  return `The API answered ${what}. Give the URL of a list of objects.`
}
