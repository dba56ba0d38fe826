// The pages of a job's results: starts the job, waits for it, reads its results, and starts another one where the API
// has lost it.
import { abortable } from '../../flow/signals/abortable.ts'
import { JobError, ListMovedError, PositionLostError, ResultsLostError } from '../../model/errors.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { END, isEnd, type Page } from '../../model/page.ts'
import type { Incremental } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import { messageOf } from '../../value/error.ts'
import type { ReadPages } from '../children/child-reader.ts'
import { CursorFollower } from '../cursor/follow-cursor.ts'
import { rangeOf } from '../cursor/range.ts'
import { endpointOf } from '../first-request.ts'
import { valueIn } from '../response-value.ts'
import { gradeOfNone } from './grade-results.ts'
import { jobAt, jobPosition, type JobProgress } from './job-position.ts'
import { isExpired, JobRequests, type JobResponse } from './job-requests.ts'
import type { JobSource } from './job-source.ts'
import { JobResultsReader } from './results-reader.ts'
import { waitForJob, type JobEnd } from './wait-for-job.ts'

/** Jobs that are started in a row because the API has lost the one before. */
const MAX_LOST_JOBS = 2
/** Characters of what an API says about a failure. */
const MAX_QUOTED = 500

/** Yields a page for each page of the results, and an urgent one with the job's id as soon as it is known. */
export async function* readJob(
  source: JobSource,
  incremental: Incremental | undefined,
  slice: SliceRead,
  scope: Scope,
  read: ReadPages,
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(slice.position)) return
  const reader = new JobReader(source, incremental, slice, scope, read)
  try {
    yield* reader.pages()
  } finally {
    // Without a ledger no later run reads on.
    if (slice.id === undefined) await reader.cancel()
    else reader.giveUpUnknown()
  }
}

class JobReader {
  readonly #source: JobSource
  readonly #incremental: Incremental | undefined
  readonly #slice: SliceRead
  readonly #scope: Scope
  readonly #requests: JobRequests
  readonly #results: JobResultsReader
  #progress: JobProgress
  /** A ledger stores the pages. */
  readonly #isKept: boolean
  #isRunning = false
  /** The job was started by this reader, and no position of the ledger can have its id. */
  #isUnknown = false
  /** The last page had no position, so reading can continue nowhere. */
  #hasUnplaced = false
  #lostJobs = 0

  constructor(
    source: JobSource,
    incremental: Incremental | undefined,
    slice: SliceRead,
    scope: Scope,
    read: ReadPages,
  ) {
    const range = rangeOf(incremental, slice)
    this.#source = source
    this.#incremental = incremental
    this.#slice = slice
    this.#isKept = slice.id !== undefined
    this.#scope = scope
    this.#progress = jobAt(slice.position)
    this.#requests = new JobRequests({ source, incremental, range, slice, scope })
    const follower = incremental && new CursorFollower(incremental, range, slice, scope)
    this.#results = new JobResultsReader({ source, slice, scope, follower, read })
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    const { job } = this.#source
    for (let isNew = false; ;) {
      if (this.#progress.id === undefined) {
        await this.#start()
        isNew = true
        yield* this.#storeJob()
      }
      const end = await this.#wait(isNew)
      isNew = false
      if (this.#hasBegun && end.type !== 'done' && end.type !== 'expired')
        throw this.#resultsLost(`${this.#name()} is no longer done`)
      switch (end.type) {
        case 'done': {
          const lost = yield* this.#readResults(end.response)
          if (lost === undefined) return
          this.#lose(lost)
          break
        }
        case 'empty':
          yield this.#emptyEnd(end.response)
          return
        case 'expired':
          this.#lose(end.reason)
          break
        case 'failed': {
          const failures = this.#progress.failures + 1
          const problem = this.#failure(end)
          if (failures <= job.retries) {
            this.#progress = { ...this.#progress, failures }
            this.#forget(`${problem}. Another one is started`)
            break
          }
          yield this.#withoutJob()
          throw new JobError(`${problem}. The next run starts another one`)
        }
        case 'late': {
          const name = this.#name()
          await this.cancel()
          yield this.#withoutJob()
          throw new JobError(
            `${name} is still ${end.state} after ${job.longest}. The next run starts another one. ` +
              `If ${end.state} means that it has ended, add it to \`done\`; if it takes so long, raise \`longest\``,
          )
        }
      }
    }
  }

  /** Ends the job if it is still running. */
  async cancel(): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    const problem = await this.#requests.cancel(this.#progress.id ?? '')
    if (problem !== undefined) this.#warn(`${this.#name()} may still run, because \`cancel\` failed: ${problem}`)
  }

  /** Gives up a job that was started ahead for a child whose turn has not come: its id is stored nowhere. */
  giveUpUnknown(): void {
    const { hasTurn, onGivenUp } = this.#slice
    if (!this.#isRunning || !this.#isUnknown || hasTurn?.() !== false) return
    this.#isRunning = false
    const recipe = { source: this.#source, stages: [], ...defined({ incremental: this.#incremental }) }
    const position = jobPosition(this.#progress)
    // The slice waits for it. Who reads this child may be in a hurry.
    void onGivenUp?.({ position, recipes: [recipe], haveParentsChanged: false, isStored: false })
  }

  async #start(): Promise<void> {
    const { starts, failures } = this.#progress
    const id = await this.#requests.start(starts)
    this.#isRunning = true
    this.#isUnknown = true
    const hidden = this.#scope.secrets.hide(id)
    this.#progress = {
      id: hidden,
      startedAt: this.#scope.now().getTime(),
      starts: starts + 1,
      failures,
      records: 0,
      ...defined({ cancelMark: this.#requests.cancelMark(hidden) }),
    }
  }

  async #wait(isNew: boolean): Promise<JobEnd> {
    const { startedAt = this.#scope.now().getTime() } = this.#progress
    this.#isRunning = true
    const end = await waitForJob({
      job: this.#source.job,
      id: this.#id,
      startedAt,
      isNew,
      requests: this.#requests,
      scope: this.#scope,
    })
    this.#isRunning = end.type === 'late'
    return end
  }

  /** Returns why the results are lost; undefined if they were read to their end. */
  async *#readResults(response: JobResponse): AsyncGenerator<Page, string | undefined, undefined> {
    let done = response
    for (let isFirst = true; ; isFirst = false) {
      const before = this.#progress
      const asked = { id: this.#id, label: this.#name() }
      try {
        for await (const { page, progress } of this.#results.pages(done, this.#progress, asked)) {
          this.#progress = progress
          this.#hasUnplaced = page.position === undefined
          yield page
          if (isEnd(page.position)) return undefined
        }
        throw new Error(`${this.#name()}: its results ended without a last page`)
      } catch (error) {
        if (error instanceof PositionLostError && !(error instanceof ListMovedError)) return messageOf(error)
        if (!isExpired(error)) throw error
        // A URL may expire before the results do: then the job has another one. Without a step forward it has none.
        if (this.#hasUnplaced || (!isFirst && this.#progress === before)) return messageOf(error)
      }
      const end = await this.#wait(false)
      if (end.type !== 'done') return end.type === 'expired' ? end.reason : `${this.#name()} is no longer done`
      done = end.response
    }
  }

  /** Throws if rows of the results may be stored: only the whole slice can begin anew then. */
  #lose(reason: string): void {
    const text = `the API no longer has the results of ${this.#name()} (${reason})`
    if (this.#hasBegun) throw this.#resultsLost(text)
    this.#lostJobs += 1
    if (this.#lostJobs > MAX_LOST_JOBS)
      throw new JobError(`${text}, ${this.#lostJobs} times in a row. Results must be kept until they are read`)
    this.#forget(`${text}. Another job is started`)
  }

  #resultsLost(text: string): ResultsLostError {
    return new ResultsLostError(`${text}. Restarting from the beginning, with another job`)
  }

  /** True if records of the results were read: rows of them may be stored. */
  get #hasBegun(): boolean {
    return this.#progress.results !== undefined || this.#hasUnplaced
  }

  #forget(message: string): void {
    const { starts, failures } = this.#progress
    this.#warn(message)
    this.#progress = { starts, failures, records: 0 }
  }

  #warn(message: string): void {
    const { stream } = this.#scope
    this.#scope.emit({ type: 'warning', message, ...defined({ stream }) })
  }

  /** Yields a page whose position is the job, since nothing else knows that it runs, and waits until it is stored. */
  async *#storeJob(): AsyncGenerator<Page, void, undefined> {
    const { promise, resolve } = Promise.withResolvers<void>()
    yield this.#marker(resolve)
    this.#isUnknown = false
    if (this.#isKept) await abortable(promise, this.#scope.signal)
  }

  #marker(onStored: () => void): Page {
    const position = jobPosition(this.#progress)
    return { records: [], rejects: [], counts: NO_READ_COUNTS, position, onStored }
  }

  /** Returns a page whose position has no job, so that the next run starts one. */
  #withoutJob(): Page {
    this.#progress = { starts: this.#progress.starts, failures: 0, records: 0 }
    return this.#marker(() => {})
  }

  #emptyEnd(response: JobResponse): Page {
    const completeness = gradeOfNone(this.#results.read(response, this.#name(), false))
    return { records: [], rejects: [], counts: NO_READ_COUNTS, position: END, ...defined({ completeness }) }
  }

  #failure({ response, state }: Extract<JobEnd, { readonly type: 'failed' | 'done' | 'empty' }>): string {
    const { error } = this.#source.job
    const said = error === undefined ? undefined : valueIn(response, error)
    const text = said === undefined || said === null ? '' : textOf(said)
    const why = text === '' ? '' : `: ${this.#scope.secrets.hide(text)}`
    return `${this.#name()} is ${state}${why}${error === undefined ? NO_ERROR : ''}`
  }

  get #id(): string {
    return this.#requests.revealed(this.#progress.id ?? '')
  }

  /** Names the job in messages. */
  #name(): string {
    const { request } = this.#source
    const [id = ''] = (this.#progress.id ?? '').split(/[?#]/, 1)
    return `the job ${id} of ${request.method} ${request.graphql === undefined ? endpointOf(request) : 'GraphQL'}`
  }
}

const NO_ERROR = ' (name the place of its reason by `error`)'

const textOf = (said: unknown): string =>
  (typeof said === 'string' ? said : (JSON.stringify(said) ?? '')).slice(0, MAX_QUOTED).replace(/\.\s*$/, '')
