// `.job()`: a request that starts a job of the API, whose results are the records.
import { UsageError } from '../../model/errors.ts'
import type { Job, JobRequest, JobResults, JobState } from '../../model/job.ts'
import type { PathTo } from '../../model/path.ts'
import type { HttpSource } from '../../model/recipe.ts'
import type { Duration, InHeader } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { duration, durationText } from '../../value/duration.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { checkValue } from '../check-value.ts'
import { Records, type Stream } from '../stream.ts'
import { checkDownloadOptions, downloadStage, type DownloadOptions } from './download.ts'
import type { InRecords } from './paging-types.ts'

type Find<Body, Value> = (body: Body) => Value | null | undefined

/** A request whose response has a type, as `api.get` and its like return it. */
interface PollRequest<Polled> extends JobRequest {
  fetch: (options: { signal: AbortSignal }) => Promise<Polled>
}

/** Options of `.job()`. `Body` is the response that starts the job, `Polled` the one that tells its state. */
export interface JobOptions<Body, Polled> {
  /** The place of the job's id, or of the URL of its state: a path, a function of the body, or `inHeader(…)`. */
  id: PathTo<Body, string | number> | Find<Body, string | number> | InHeader
  /**
   * The request that asks for the job's state. @default GET of the id, which is a URL then
   *
   * @example
   * poll: (id) => api.get<Export>(path`/exports/${id}`)
   */
  poll?: (id: string) => PollRequest<Polled>
  /** The place of the state in that response. @default its HTTP status */
  state?: PathTo<Polled, JobState> | Find<Polled, JobState> | InHeader
  /** States in which the job has ended with results. A state that stands in no list means that it still runs. */
  done: JobState | readonly JobState[]
  /** States in which it has ended, and there is nothing to read. @default none */
  empty?: JobState | readonly JobState[]
  /** States in which it has failed. @default none */
  failed?: JobState | readonly JobState[]
  /** States in which its results are gone. Another job is started. @default none; 404 and 410 mean the same */
  expired?: JobState | readonly JobState[]
  /** The place of what the API says about a failure, for the error. @default none */
  error?: PathTo<Polled, unknown> | Find<Polled, unknown> | InHeader
  /** The place of the number of records. The reading is `open` if fewer come. @default none */
  count?: PathTo<Polled, number | string> | Find<Polled, number | string> | InHeader
  /** The wait before the first poll. Each wait is half as long again as the one before. @default '2s' */
  every?: Duration
  /** The longest wait between two polls. @default '1m' */
  maxEvery?: Duration
  /** The longest time that a job may run. Then the stream fails. @default '6h' */
  longest?: Duration
  /** Jobs that are started after one has failed. @default 1 */
  retries?: number
  /**
   * The header that gets a value of its own for each job, and the same one if the run is killed before it has stored
   * the job's id. So an API that knows such keys starts no second job. @default none
   */
  idempotencyKey?: string
  /**
   * The request that ends a job that nobody waits for any more: it ran longer than `longest`, it was started without a
   * database, or its slice was given up (`--full`, another definition, a cursor set by hand). It has 5 seconds; if it
   * fails, a warning says so. A run that is stopped lets the job run on, because the next run reads it. @default none
   *
   * @example
   * cancel: (id) => api.delete(path`/exports/${id}`)
   */
  cancel?: (id: string) => JobRequest
}

type Given = JobOptions<never, never>

/**
 * A job whose last response has a type. `.download()` or `.results()` says next where the records are.
 *
 * @example
 * const rows = job.download<Row>('result.url', { format: csv() })
 */
export class ExportJob<Polled> {
  readonly #template: JobRequest['template']
  readonly #job: Omit<Job, 'results'>

  constructor(template: JobRequest['template'], job: Omit<Job, 'results'>) {
    this.#template = template
    this.#job = job
  }

  /**
   * Reads the file, or the list of files, whose URL stands in the last response of the job. Null means that there are
   * no records. A URL of another origin must be in `allowedOrigins`, and gets no credentials.
   *
   * @example
   * job.download<Row>('result.url', { format: csv() })
   * job.download<Row>('files.url') // a list of files
   */
  download<T>(
    at: PathTo<Polled, string | readonly string[]> | InRecords<Polled> | Find<Polled, string | readonly string[]>,
    options: DownloadOptions<T> = {},
  ): Records<T> {
    if ((typeof at !== 'string' || at === '') && typeof at !== 'function')
      throw new UsageError(".download(): give the place of the URL in the last response of the job, as in 'result.url'")
    checkDownloadOptions(options)
    const { concurrency = 1 } = options
    if (!Number.isInteger(concurrency) || concurrency < 1)
      throw new UsageError(`.download(): concurrency must be a whole number from 1, not ${concurrency}`)
    const stage = Object.freeze(downloadStage({ source: onePageOf(this.#template), stages: [] }, 'url', options))
    return this.#records({ type: 'files', at, stage })
  }

  /**
   * Reads the results by requests of their own. The function gets the body of the last response, and the id. It returns
   * a stream without stages, or null if there are no records.
   *
   * @example
   * job.results((_, id) =>
   *   api.get<Row[]>(path`/jobs/${id}/results`, {}, { format: csv() })
   *     .pages(byCursor('locator', inHeader('sforce-locator')))
   *     .records(),
   * )
   */
  results<T>(read: (job: Polled, id: string) => Stream<T> | null): Records<T> {
    if (typeof read !== 'function')
      throw new UsageError('.results(): give a function that returns the stream of the results')
    return this.#records({ type: 'requests', fn: read })
  }

  #records<T>(results: JobResults): Records<T> {
    const job: Job = Object.freeze({ ...this.#job, results })
    return new Records({ source: Object.freeze({ ...onePageOf(this.#template), job }), stages: [] })
  }
}

const onePageOf = ({ api, request }: JobRequest['template']): HttpSource => ({
  api,
  request,
  paging: { type: 'one page' },
  records: '',
})

const OPTIONS: OptionNames<Given> = {
  id: true,
  poll: true,
  state: true,
  done: true,
  empty: true,
  failed: true,
  expired: true,
  error: true,
  count: true,
  every: true,
  maxEvery: true,
  longest: true,
  retries: true,
  idempotencyKey: true,
  cancel: true,
}

/** Returns a job as data. Throws a UsageError for what the types cannot refuse. */
export function jobOf(
  { api, request }: JobRequest['template'],
  options: Pick<Given, 'done'> & { readonly [Name in keyof Given]?: unknown },
): Omit<Job, 'results'> {
  const { method, path } = request
  const text = typeof path === 'string' ? path : path.texts.join('…')
  const place = `${method} ${api.base}${text}: .job()`
  const given = options as unknown as Given
  rejectUnknownOptions(place, given, OPTIONS)
  const { id, poll, state, error, count, idempotencyKey, cancel, retries = 1, every = '2s', longest = '6h' } = given
  checkPlaces(place, { id, state, error, count })
  for (const [name, fn] of Object.entries({ poll, cancel }))
    if (fn !== undefined && typeof fn !== 'function')
      throw new UsageError(`${place}: ${name} is a function of the job's id that returns a request, as api.get(…) does`)
  if (idempotencyKey !== undefined && !/^[\w-]+$/.test(idempotencyKey))
    throw new UsageError(`${place}: idempotencyKey is the name of a header, not ${JSON.stringify(idempotencyKey)}`)
  if (!Number.isSafeInteger(retries) || retries < 0)
    throw new UsageError(`${place}: retries must be a whole number from 0, not ${retries}`)
  const first = checkValue(`${place}: every`, () => duration(every))
  const maxEvery = given.maxEvery ?? (durationText(Math.max(first, 60_000)) as Duration)
  checkValue(`${place}: maxEvery`, () => duration(maxEvery))
  checkValue(`${place}: longest`, () => duration(longest))
  return {
    id,
    ...statesOf(place, given),
    every,
    maxEvery,
    longest,
    retries,
    ...defined({
      poll,
      state,
      error,
      count,
      idempotencyKey,
      cancel,
    }),
  }
}

function checkPlaces(place: string, places: Readonly<Record<string, unknown>>): void {
  for (const [name, at] of Object.entries(places)) {
    const isMissing = name === 'id' && at === undefined
    const isWrong = at !== undefined && (at === '' || !['string', 'function', 'object'].includes(typeof at))
    if (isMissing || isWrong || at === null)
      throw new UsageError(
        `${place}: ${name} is the place of a value in the response: a path such as 'job.${name}', ` +
          'a function of the body, or inHeader(…)',
      )
  }
}

function statesOf(place: string, given: Given): Pick<Job, 'done' | 'empty' | 'failed' | 'expired'> {
  const known = new Map<string, string>()
  const list = (name: 'done' | 'empty' | 'failed' | 'expired'): readonly string[] => {
    const states = [given[name] ?? []].flat().map((state: unknown) => {
      if (['string', 'number', 'boolean'].includes(typeof state)) return String(state)
      throw new UsageError(`${place}: ${name} is a state of the job, or a list of them, not ${JSON.stringify(state)}`)
    })
    for (const state of states) {
      const other = known.get(state)
      if (other !== undefined) throw new UsageError(`${place}: '${state}' stands in ${other} and in ${name}`)
      known.set(state, name)
    }
    return Object.freeze(states)
  }
  const states = { done: list('done'), empty: list('empty'), failed: list('failed'), expired: list('expired') }
  if (states.done.length === 0)
    throw new UsageError(`${place}: done is missing. Give the state of a job whose results can be read`)
  return states
}
