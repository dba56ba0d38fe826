import type { At, ElementOf, PathTo } from '../../model/path.ts'
import type { HttpSource } from '../../model/recipe.ts'
import { UsageError } from '../../model/errors.ts'
import type { Api, Delta, InHeader, Paging, Range, Request } from '../../model/request.ts'
import { rejectRenamedWords } from '../renamed-words.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { Records, type Stream } from '../stream.ts'
import type { JobRequest } from '../../model/job.ts'
import type { DownloadOptions } from './download.ts'
import { ExportJob, jobOf, type JobOptions } from './job.ts'
import type { RecordsFrom } from './record-shapes.ts'

/**
 * A request whose response has a type. `.pages()` says next how its pages follow each other.
 *
 * @example
 * const endpoint = api.get<{ data: Order[]; next: string | null }>('/orders')
 * const orders = endpoint.pages(byCursor('after', 'next')).records('data')
 */
export class Endpoint<Body> implements JobRequest {
  /** The request, and the API that it goes to. */
  readonly template: JobRequest['template']

  constructor(api: Api, request: Request) {
    this.template = Object.freeze({ api, request })
  }

  /**
   * Requests once and returns the body, for custom sources and for stages. Pass the `signal` that they receive.
   *
   * @example
   * .map(async (order, signal) => {
   *   const rate = await api.get<number>(path`/rates/${order.day}`).fetch({ signal })
   *   return { ...order, rate }
   * })
   */
  async fetch(options: Range & { signal: AbortSignal }): Promise<Body> {
    rejectUnknownOptions('.fetch()', options, FETCH_OPTIONS)
    const { signal, ...range } = options
    // oxlint-disable-next-line no-restricted-imports -- The engine is loaded when something is requested.
    const { fetchOnce } = await import('../../read/fetch-once.ts')
    // The caller of `get`, `post` or `graphql` names the type of the body.
    return (await fetchOnce(this.template.api, this.template.request, range, signal)) as Body
  }

  /**
   * The way from one page to the next: a paginator, or a function of the response and its request. `onePage()` reads
   * one page.
   *
   * @example
   * api.get<{ data: Order[]; next: string | null }>('/orders').pages(byCursor('after', 'next'))
   */
  pages(paging: Paging<Body>, options: PagesOptions<Body> = {}): Pages<Body> {
    rejectRenamedWords('.pages()', paging, { by: 'type', first: 'start', last: 'max' })
    rejectUnknownOptions('.pages()', options, PAGES_OPTIONS)
    const { delta, ifChanged = false, firstPage } = options
    if (firstPage !== undefined && (delta !== undefined || ifChanged))
      throw new UsageError('.pages(): firstPage is for children, which have neither delta nor ifChanged')
    if (ifChanged) checkIfChanged(paging, delta)
    const { api, request } = this.template
    return new Pages({
      api,
      request: ifChanged ? withUnchanged(request) : request,
      paging,
      ...(delta !== undefined && { delta: deltaOf(delta) }),
      ...(ifChanged && { ifChanged }),
      ...(firstPage !== undefined && { firstPage }),
    })
  }

  /**
   * The request starts a job of the API, such as an export. `poll` asks for its state until it is done. `.download()`
   * or `.results()` says next where its records are. The job's id is stored as soon as it is known: an interrupted
   * run waits for the same job.
   *
   * @example
   * api.post<{ id: string }>('/exports', { json: { changed_after: since } })
   *   .job({
   *     id: 'id',
   *     poll: (id) => api.get<Export>(path`/exports/${id}`),
   *     state: 'status',
   *     done: 'finished',
   *     failed: 'error',
   *     error: 'message',
   *   })
   *   .download<Row>('url', { format: csv() })
   */
  job<Job>(options: JobOptions<Body, Job>): ExportJob<Job> {
    return new ExportJob(this.template, jobOf(this.template, options))
  }
}

/** Options of `.pages()`. */
export interface PagesOptions<Body> {
  /**
   * The last response holds a token with which the next run asks for what has changed since. The token is the cursor of
   * the stream, so there is no `.incremental()`.
   *
   * @example
   * .pages(byNextUrl('next'), { delta: { at: 'deltaLink' } })
   * .pages(byCursor('cursor', 'after'), { delta: { at: 'after', parameter: 'cursor', without: ['start_time'] } })
   */
  delta?: Delta<Body> & { at: PathTo<Body, string | number> | ((body: Body) => unknown) | InHeader }
  /**
   * Asks only for what has changed: sends the `ETag` and `Last-Modified` of the last reading, and takes 304 as "nothing
   * has changed". The table stays as it is then. Only for lists of one page. @default false
   *
   * @example
   * .pages(onePage(), { ifChanged: true })
   */
  ifChanged?: boolean
  /**
   * For children: the body of the first page, which came with the parent, such as a connection in a node of GraphQL.
   * Only further pages are requested. A list in it that is null or missing is requested too. @default none
   *
   * @example
   * orders.flatMap((order) =>
   *   api
   *     .graphql<{ order: Pick<Order, 'items'> }>(ITEMS_OF_ORDER, { id: order.id })
   *     .pages(byRelay('order.items'), { firstPage: { order } })
   *     .records('order.items.nodes'),
   * )
   */
  firstPage?: Body
}

/**
 * Pages whose bodies have a type. `.records()` says next where the records are.
 *
 * @example
 * const orders = pages.records('data.items')
 */
export class Pages<Body> {
  readonly #source: Omit<HttpSource, 'records'>

  constructor(source: Omit<HttpSource, 'records'>) {
    this.#source = source
  }

  /**
   * Reads the file whose URL stands at a path of the body, such as the result of an export.
   *
   * @example
   * api.get<{ file: { url: string } }>('/export').pages(onePage()).download<Row>('file.url', { format: csv() })
   */
  download<T>(at: PathTo<Body, string>, options: DownloadOptions<T> = {}): Stream<T> {
    return this.records(WHOLE_BODY as RecordsFrom<Body>).download<T>(at, options)
  }

  /**
   * The place of the records in the body: a path to an array, or a function. Leave it out if the body is the array.
   * Null is an empty page. A missing member fails, so that a renamed field is not a success with 0 rows; with
   * `optional` it is an empty page. `fromRows`, `fromMembers`, `fromLists`, `fromResources` and `fromIncluded` make
   * records of something else than a list of objects.
   *
   * @example
   * pages.records('data.items')
   * pages.records(fromRows('values'))
   */
  records<T>(where: RecordsFrom<T>, options?: RecordsOptions): Records<T>
  records<
    const Where extends PathTo<Body, readonly unknown[]> | ((body: Body) => readonly unknown[] | null | undefined),
  >(
    ...[where, options]: Body extends readonly unknown[]
      ? [where?: Where, options?: RecordsOptions]
      : [where: Where, options?: RecordsOptions]
  ): Records<RecordOf<Body, Where>>
  records(where: HttpSource['records'] = '', options?: RecordsOptions): Records<unknown> {
    rejectUnknownOptions('.records()', options, RECORDS_OPTIONS)
    const records = where
    return new Records({
      source: Object.freeze({ ...this.#source, records, ...(options?.optional && { optional: true }) }),
      stages: [],
    })
  }
}

const PAGES_OPTIONS: OptionNames<PagesOptions<unknown>> = { delta: true, ifChanged: true, firstPage: true }
const FETCH_OPTIONS: OptionNames<Range & { signal: AbortSignal }> = { since: true, until: true, signal: true }
const RECORDS_OPTIONS: OptionNames<RecordsOptions> = { optional: true }
const DELTA_OPTIONS: OptionNames<Delta<never>> = { at: true, parameter: true, without: true, expiredOn: true }

/** The body as the only record. */
const WHOLE_BODY = Object.freeze({ type: 'body' as const })

/** Options of `.records()`. */
export interface RecordsOptions {
  /** A missing member on the way to the records is an empty page. @default false: it is an error */
  optional?: boolean
}

type RecordOf<Body, Where> = Body extends readonly (infer Item)[]
  ? Item
  : Where extends (body: never) => infer List
    ? ElementOf<List>
    : Where extends string
      ? ElementOf<At<Body, Where>>
      : never

function deltaOf(delta: Delta<never>): Delta<never> {
  const place = '.pages(): delta'
  rejectUnknownOptions(place, delta, DELTA_OPTIONS)
  const { at, parameter, without = [], expiredOn } = delta
  if (at === undefined || at === '')
    throw new UsageError(`${place}: at is missing. Give the place of the token in the last response`)
  if (parameter === undefined && without.length > 0)
    throw new UsageError(`${place}: without a parameter the token is the whole URL, so nothing can be left out of it`)
  if (expiredOn?.some((status) => !Number.isInteger(status) || status < 400 || status > 599))
    throw new UsageError(`${place}: expiredOn is a list of statuses from 400 to 599, not ${JSON.stringify(expiredOn)}`)
  return Object.freeze({ ...delta })
}

function checkIfChanged(paging: Paging<never>, delta: unknown): void {
  if (delta !== undefined)
    throw new UsageError('.pages(): delta and ifChanged are both the cursor of the stream. Remove one of the two')
  if (typeof paging !== 'object' || paging.type !== 'one page')
    throw new UsageError(
      '.pages(): ifChanged is for a list of one page, onePage(): a first page that has not changed says nothing of ' +
        'the others',
    )
}

const withUnchanged = (request: Request): Request => ({
  ...request,
  responseRules: [...(request.responseRules ?? []), { status: 304, action: 'empty' }],
})
