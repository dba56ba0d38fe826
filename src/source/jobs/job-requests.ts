// The requests of a job: to start it, to read its state, and to end it.
import { createHash, randomUUID } from 'node:crypto'
import { DecodeError, HttpError } from '../../model/errors.ts'
import type { JobRequest } from '../../model/job.ts'
import type { HttpSource, Incremental } from '../../model/recipe.ts'
import type { PageRequest, Range } from '../../model/request.ts'
import type { DecodedResponse, Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { defined } from '../../value/defined.ts'
import { digest } from '../../value/digest.ts'
import { messageOf } from '../../value/error.ts'
import { firstRequest } from '../first-request.ts'
import { labelOf } from '../label-of.ts'
import { requestOptions } from '../request-options.ts'
import { nameOf, problemOf, valueIn } from '../response-value.ts'
import type { JobSource } from './job-source.ts'

/** Characters of a response that a message quotes. */
const MAX_QUOTED = 500
/** The longest time for the request that ends a job: nothing waits for its result. */
const CANCEL_MS = 5_000

export type JobResponse = Omit<DecodedResponse, 'hold'>

export interface JobRequestsOptions {
  readonly source: JobSource
  readonly incremental: Incremental | undefined
  readonly range: Range
  readonly slice: Pick<SliceRead, 'id' | 'startedAt'>
  readonly scope: Scope
}

export class JobRequests {
  readonly #source: JobSource
  readonly #range: Range
  readonly #unit: Incremental['unit']
  readonly #scope: Scope
  /** Names the slice. Without a ledger no other process starts the same job. */
  readonly #slice: string

  constructor({ source, incremental, range, slice, scope }: JobRequestsOptions) {
    this.#source = source
    this.#range = range
    this.#unit = incremental?.unit
    this.#scope = scope
    this.#slice = slice.id === undefined ? randomUUID() : `${slice.id} ${slice.startedAt?.toISOString() ?? ''}`
  }

  /** Starts a job, and returns its id. `starts` is the number of jobs that were started before. */
  async start(starts: number): Promise<string> {
    const { api, request, job } = this.#source
    const sent = this.#pageRequest(request)
    const header = job.idempotencyKey?.toLowerCase()
    const headers = { ...sent.headers, ...(header !== undefined && { [header]: this.#key(sent, starts) }) }
    const response = await this.#send(api, request, { ...sent, headers })
    const id = valueIn(response, job.id)
    if ((typeof id === 'string' && id !== '') || typeof id === 'number' || typeof id === 'bigint') return String(id)
    const quoted = this.#scope.secrets.hide(JSON.stringify(response.body) ?? 'no body')
    throw new DecodeError(
      `${labelOf(sent)} has started no job: ${nameOf(job.id)} ${problemOf(id)}, where its id should be. ` +
        `The API answered ${quoted.length > MAX_QUOTED ? `${quoted.slice(0, MAX_QUOTED - 1)}…` : quoted}`,
    )
  }

  /** Reads the state of a job. */
  async poll(id: string): Promise<JobResponse & { readonly label: string }> {
    const { api, job } = this.#source
    if (!job.poll) {
      const sent: PageRequest = { method: 'GET', url: id, query: {} }
      return { ...(await this.#send(api, { method: 'GET', path: '/{job}' }, sent)), label: labelOf(sent) }
    }
    return this.#sendTo(job.poll(id))
  }

  /**
   * Ends a job that nobody waits for any more, within 5 seconds. Returns why the API did not end it; undefined also for
   * one that it no longer knows. `id` is as positions hold it.
   */
  async cancel(id: string, stop?: AbortSignal): Promise<string | undefined> {
    const signal = AbortSignal.any([AbortSignal.timeout(CANCEL_MS), ...(stop ? [stop] : [])])
    try {
      const request = this.#source.job.cancel?.(this.revealed(id))
      if (request) await this.#sendTo(request, signal)
      return undefined
    } catch (error) {
      if (isGone(error) || stop?.aborted) return undefined
      return this.#scope.secrets.hide(
        signal.aborted ? `no answer within ${CANCEL_MS / 1_000} seconds` : messageOf(error),
      )
    }
  }

  /** Returns a hash of the request that would end a job; undefined if there is none. */
  cancelMark(id: string): string | undefined {
    try {
      const template = this.#source.job.cancel?.(id)?.template
      return template && digest([template.api.base, this.#pageRequest(template.request)])
    } catch {
      return undefined // It is called again when it is needed.
    }
  }

  /** The id as it is sent. A placeholder in it may come from the API, and gets only this API's own secrets. */
  revealed(id: string): string {
    const { request, api } = this.#source
    return this.#scope.secrets.reveal(id, secretsOf(request.auth ?? api.auth))
  }

  async #sendTo(
    { template: { api, request } }: JobRequest,
    signal?: AbortSignal,
  ): Promise<JobResponse & { readonly label: string }> {
    const sent = this.#pageRequest(request)
    return { ...(await this.#send(api, request, sent, signal)), label: labelOf(sent) }
  }

  #pageRequest(request: HttpSource['request']): PageRequest {
    return firstRequest(request, { type: 'one page' }, this.#range, this.#unit)
  }

  /** The body is released at once: while a job runs, nothing of it is held. */
  async #send(
    api: HttpSource['api'],
    request: HttpSource['request'],
    sent: PageRequest,
    signal = this.#scope.signal,
  ): Promise<JobResponse> {
    const { client, memory, stream } = this.#scope
    const { hold, ...response } = await client(api).send(sent, {
      signal,
      memory: memory.child(() => true),
      ...requestOptions(request),
      ...defined({ stream }),
    })
    hold[Symbol.dispose]()
    return response
  }

  /** The same for the same job of the same slice, also in another process. As a UUID, because some APIs want one. */
  #key(sent: PageRequest, starts: number): string {
    const { files } = this.#source.request
    const hex = createHash('sha256')
      .update(JSON.stringify([this.#slice, starts, sent, ...(files ? [files] : [])]))
      .digest('hex')
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `a${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ].join('-')
  }
}

/** True if the API no longer knows what was asked for. */
export const isGone = (error: unknown): boolean =>
  error instanceof HttpError && (error.status === 404 || error.status === 410)

/** True if results are gone. Signed URLs of another origin refuse an old signature in several ways. */
export function isExpired(error: unknown): boolean {
  if (isGone(error)) return true
  if (!(error instanceof HttpError) || ![400, 401, 403].includes(error.status)) return false
  // Only a request to another origin is named with its scheme. The API's own refusals concern the credentials.
  return /^\S+ https?:\/\//i.test(error.location ?? '')
}
