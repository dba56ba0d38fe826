import type { Dispatcher } from 'undici'
import { Semaphore } from '../flow/semaphore.ts'
import { onAbort } from '../flow/signals/on-abort.ts'
import { deadline } from '../flow/signals/timeout.ts'
import { DecodeError, SluiceError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Api } from '../model/request.ts'
import type { AcquireOptions, Budget, Secrets, SendOptions } from '../model/scope.ts'
import { redactUrl } from '../observe/redact.ts'
import { defined } from '../value/defined.ts'
import { duration } from '../value/duration.ts'
import { messageOf } from '../value/error.ts'
import { isOwnOrigin, secureUrl, withoutParameters, withParameters } from './address.ts'
import type { Authorization, Credentials } from './auth/authorization.ts'
import { grantOf } from './auth/grant.ts'
import { toSign } from './auth/to-sign.ts'
import { SessionEndedError } from './auth/session-cookies.ts'
import { lowered } from './lowered.ts'
import type { BodyBuffers } from './body/body-buffers.ts'
import { ACCEPT_ENCODING, decompress } from './body/decompress.ts'
import type { Reservation } from './body/reservation.ts'
import { acceptOf } from './formats/format-of.ts'
import { MAX_WHOLE_BYTES, mayBeLarge, openBody, type UnpackedBody } from './parts/open-body.ts'
import { exchange, type FinalResponse, type Hop, type PreparedHop } from './exchange.ts'
import { limitedPathOf } from './limits/limited-path.ts'
import type { CostBudget } from './graphql/cost-budget.ts'
import type { QueryForm } from './graphql/persisted.ts'
import type { Time } from './limits/time.ts'
import type { PreparedRequest } from './prepare-request.ts'
import { connectionError, TransientError } from './request-error.ts'
import { isSuccess, type ResponseRules } from './rules/response-rules.ts'
import type { Settings } from './settings.ts'

export interface SenderOptions {
  readonly api: Api
  readonly settings: Settings
  readonly agent: Dispatcher
  /** For bodies that are read part by part: their records may need other requests meanwhile. */
  readonly bodyAgent: Dispatcher
  readonly costs: CostBudget
  readonly buffers: BodyBuffers
  readonly secrets: Secrets
  readonly time: Time
  readonly emit: (event: RunEvent) => void
}

export type StreamSendOptions = Omit<SendOptions, 'rules' | 'auth' | 'rate'> & {
  readonly stream: string
  readonly budget: Budget
  readonly authorization: Authorization
  /** All rules for the response. */
  readonly rules: ResponseRules
  /** Prepares the request with its query in another form. */
  readonly prepare: (form: QueryForm) => PreparedRequest
}

/** A response, with the credentials that its request had. */
export type SentResponse = ReceivedResponse & { readonly credentials: Credentials }

type ReceivedResponse = Omit<FinalResponse, 'source'> & {
  /** A body that did not end within its first part. `bytes` is undefined then. */
  readonly rest?: UnpackedBody
}

/** A rule sees a failure's body up to this size. */
const MAX_FAILURE_BYTES = 1_048_576

const NO_CREDENTIALS: Credentials = { headers: {}, query: {} }
const OWN_HEADERS = { 'accept-encoding': ACCEPT_ENCODING, 'user-agent': 'sluice' }

/**
 * Sends one try of a request: waits for a slot and for the rate limit, adds credentials, follows redirects, and returns
 * the response with its body decompressed but not parsed.
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #slots: Semaphore

  constructor(options: SenderOptions) {
    this.#options = options
    this.#slots = new Semaphore(options.settings.concurrency)
  }

  /**
   * Sends a request. After status 401, or if its session has ended, sends it once more with renewed credentials, where
   * they can be renewed.
   */
  async send(request: PreparedRequest, options: StreamSendOptions, reservation: Reservation): Promise<SentResponse> {
    using _slot = await this.#slots.acquire(options)
    const onWait = this.#onWait(options)
    const { authorization, signal, stream } = options
    const credentialsOf = (): Promise<Credentials> => authorization.credentials({ signal, stream, onWait })
    const credentials = request.isOwn ? await credentialsOf() : NO_CREDENTIALS
    try {
      const first = await this.#exchange(request, credentials, options, reservation)
      if (first.status !== 401 || !first.isOwn || !authorization.renew(credentials)) return { ...first, credentials }
    } catch (error) {
      if (!(error instanceof SessionEndedError && authorization.renew(credentials))) throw error
    }
    const renewed = await credentialsOf()
    return { ...(await this.#exchange(request, renewed, options, reservation)), credentials: renewed }
  }

  async #exchange(
    request: PreparedRequest,
    credentials: Credentials,
    options: StreamSendOptions,
    reservation: Reservation,
  ): Promise<ReceivedResponse> {
    const { agent, bodyAgent, costs, buffers, settings, time, emit } = this.#options
    const { signal, rules, stream, timeout, budget, onTry, onRequest } = options
    const { method, label, path, paths, document } = request
    const onWait = this.#onWait(options)
    using _cost = await costs.acquire(document, { signal, onWait })
    await budget.acquire(1, { signal, paths, onWait })
    let startedAt = time.clock()
    const emitFinished = (url: URL, status: number, bytes: number): void => {
      const shown = this.#displayUrl(url, options)
      const ms = Math.round(time.clock() - startedAt)
      const event = { type: 'request.finished', stream, method, url: shown, status, bytes, ms } as const
      emit(event)
      onRequest?.(event)
    }
    const timeoutMs = timeout === undefined ? settings.timeoutMs : duration(timeout)
    using limit = deadline(signal, timeoutMs, label)
    const tooLarge = (): DecodeError => this.#tooLarge(label)
    const observe = ({ isOwn }: PreparedHop, status: number, responseHeaders: FinalResponse['headers']): void =>
      // Another origin states its own limits, so they hold for this path only.
      budget.observe(status, rules.mayRetry(status, responseHeaders) ? withoutWait(responseHeaders) : responseHeaders, {
        path,
        reach: isOwn ? undefined : 'path',
        request: label,
        stream,
      })
    let last = { url: request.url, status: 0, bytes: 0 }
    try {
      const { source, ...response } = await exchange(options.parts ? bodyAgent : agent, {
        ...request,
        rules,
        signal: limit.signal,
        prepare: (hop, from) => {
          const url = secureUrl(settings.addresses, hop.url, from?.isOwn ? from.url : undefined)
          return this.#prepare({ ...hop, url }, credentials, options, !from)
        },
        onRedirect: (hop, redirect) => {
          emitFinished(hop.url, redirect.status, 0)
          observe(hop, redirect.status, redirect.headers)
          if (hop.isOwn) credentials.cookies?.keep({ ...redirect, url: hop.url }, { label })
        },
        admit: async ({ url, isOwn }) => {
          if (!isOwn) return
          // The time limit is for the API, not for its rate.
          using _paused = limit.pause()
          const pausedAt = time.clock()
          await budget.acquire(1, {
            signal,
            paths: [...paths, this.#options.secrets.hide(limitedPathOf(url, isOwn))],
            onWait,
          })
          startedAt += time.clock() - pausedAt
        },
        onResponse: (hop, status, responseHeaders) => {
          last = { ...last, url: hop.url, status }
          observe(hop, status, responseHeaders)
          switch (rules.neededBody(status, responseHeaders)) {
            case 'page':
              if (options.parts && this.#isOpened(status, responseHeaders, options))
                return { open: { signal: options.parts.signal, timeoutMs: settings.timeoutMs, label } }
              return { bytes: settings.maxPageBytes, tooLarge, onBytes: reservation.growTo, buffers }
            case 'beginning':
              return { bytes: Math.min(settings.maxPageBytes, MAX_FAILURE_BYTES), onBytes: reservation.growTo }
            case 'none':
              return undefined
          }
        },
      })
      if (response.isOwn) options.onGrant?.(grantOf(credentials, response.headers))
      if (response.isOwn) credentials.cookies?.keep(response, { label, source })
      if (source) {
        using _cancelled = onAbort(limit.signal, (reason) => source.fail(reason))
        const body = await openBody(source, {
          headers: response.headers,
          url: response.url.href,
          wholeBytes: this.#wholeBytes,
          format: options.format,
          isPartial: options.parts?.from !== undefined,
          onBytes: reservation.growTo,
        })
        const isWhole = Buffer.isBuffer(body)
        last = { ...last, bytes: isWhole ? body.length : body.begin.length }
        return isWhole ? { ...response, bytes: body } : { ...response, rest: body }
      }
      if (response.bytes === undefined) return response
      if (!isSuccess(response.status)) return { ...response, bytes: await this.#unpackFailure(response, label) }
      const bytes = await decompress(response.bytes, {
        encoding: response.headers['content-encoding'],
        limit: settings.maxPageBytes,
        label,
        tooLarge,
      })
      if (bytes !== response.bytes) buffers.release(response.bytes)
      last = { ...last, bytes: bytes.length }
      return { ...response, bytes }
    } catch (error) {
      if (error instanceof SluiceError || error instanceof TransientError) throw error
      signal.throwIfAborted()
      if (limit.signal.aborted) throw timedOut(limit.signal.reason, label)
      throw connectionError(error, label, last.status === 0 ? last.url : undefined)
    } finally {
      emitFinished(last.url, last.status, last.bytes)
      onTry?.(last.status, time.clock() - startedAt)
    }
  }

  /** False for a body that is read as a whole, because it is known to be small or because a rule reads its values. */
  #isOpened(status: number, headers: FinalResponse['headers'], { rules, parts }: StreamSendOptions): boolean {
    if (parts?.from) return true
    return !rules.readsValues(status, headers) && mayBeLarge(headers, this.#wholeBytes)
  }

  get #wholeBytes(): number {
    return Math.min(MAX_WHOLE_BYTES, this.#options.settings.maxPageBytes)
  }

  /** Adds credentials and headers of the API to a request for its own origin, and to no other. */
  #prepare(
    { method, url, body, label }: Hop,
    credentials: Credentials,
    { headers = {}, format }: StreamSendOptions,
    isFirst: boolean,
  ): PreparedHop {
    const { api, settings } = this.#options
    const ownHeaders = { ...OWN_HEADERS, accept: acceptOf(format) }
    if (!isOwnOrigin(settings.addresses, url, label)) return { url, headers: ownHeaders, isOwn: false }
    const given = { ...lowered(api.headers ?? {}), ...credentials.headers, ...lowered(headers) }
    const cookie = credentials.cookies?.headerFor(url, { label, isFirst, given: given['cookie'] })
    const hop = {
      url: withParameters(url, credentials.query),
      headers: { ...ownHeaders, ...given, ...defined({ cookie }) },
      isOwn: true,
    }
    if (!credentials.sign) return hop
    const signature = credentials.sign(
      toSign({ method, url: hop.url, headers: { ...(body && { 'content-type': body.type }), ...hop.headers } }, body),
    )
    return {
      ...hop,
      url: withParameters(hop.url, signature.query ?? {}),
      headers: { ...hop.headers, ...signature.headers },
    }
  }

  #onWait({ stream }: StreamSendOptions): NonNullable<AcquireOptions['onWait']> {
    return (reason, ms) => this.#options.emit({ type: 'waiting', stream, for: reason, ms })
  }

  /** Returns the body of a failure, empty if it cannot be unpacked: its status decides then. */
  async #unpackFailure({ bytes, headers, isCut }: FinalResponse, label: string): Promise<Buffer> {
    const none = Buffer.alloc(0)
    try {
      return await decompress(bytes ?? none, {
        encoding: headers['content-encoding'],
        limit: MAX_FAILURE_BYTES,
        label,
        tooLarge: () => this.#tooLarge(label),
      })
    } catch (error) {
      // The next try may bring the whole body. One that was cut here stays as it is.
      if (error instanceof TransientError && !isCut) throw error
      return none
    }
  }

  #tooLarge(label: string): DecodeError {
    return new DecodeError(
      `${label} answered more than ${this.#options.settings.maxPageBytes} bytes: ` +
        `ask for smaller pages, or raise the API's maxPageSize`,
    )
  }

  /** Returns a URL without the parameters and the secrets of its credentials. */
  #displayUrl(url: URL, { authorization }: StreamSendOptions): string {
    return this.#options.secrets.hide(redactUrl(withoutParameters(url, authorization.parameters)))
  }
}

/** A rule may read another wait in the body, or say how far it reaches: the client observes it then. */
const withoutWait = (headers: FinalResponse['headers']): FinalResponse['headers'] => ({
  ...headers,
  'retry-after': undefined,
})

function timedOut(reason: unknown, label: string): TransientError {
  return new TransientError(messageOf(reason), { location: label, cause: reason })
}
