import { Agent } from 'undici'
import { parseSize, type Size } from '../value/size.ts'
import { duration } from '../value/duration.ts'
import { messageOf } from '../value/error.ts'
import { Semaphore } from '../flow/semaphore.ts'
import { deadline } from '../flow/signals/timeout.ts'
import { DecodeError, SluiceError, UsageError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { SharedRates } from '../model/rate.ts'
import type { Api, PageRequest } from '../model/request.ts'
import type { Budget, Client, DecodedResponse, Secrets, SendOptions } from '../model/scope.ts'
import { redactError, redactUrl } from '../observe/redact.ts'
import { isOwnOrigin, readAddresses, withoutParameters, withParameters, type Addresses } from './address.ts'
import { authorizationOf, secretsOf, type Authorization, type Credentials } from './auth/authorization.ts'
import { BodyBuffers } from './body/body-buffers.ts'
import { ClientCredentialsAuthorization } from './auth/client-credentials.ts'
import { decodeJson } from './body/decode.ts'
import { ACCEPT_ENCODING, decompress } from './body/decompress.ts'
import { exchange, type FinalResponse, type PreparedHop } from './exchange.ts'
import { connectionError, statusError, TransientError } from './request-error.ts'
import { graphqlData } from './graphql.ts'
import { prepareRequest, type PreparedRequest } from './prepare-request.ts'
import { rateBudget } from './limits/rate-budget.ts'
import { Reservations, type Reservation } from './body/reservation.ts'
import { withRetry } from './retry.ts'
import { sharedBudget } from './limits/shared-budget.ts'
import { realTime, type Time } from './limits/time.ts'

export interface ClientOptions {
  readonly secrets: Secrets
  readonly emit: (event: RunEvent) => void
  readonly now: () => Date
  /** Whose requests these are where `send` is not told. @default '' */
  readonly stream?: string
  /** @default one of this process, by the API's `rate` */
  readonly budget?: Budget
  /** Where a budget that other processes share is kept. @default nowhere */
  readonly rates?: SharedRates | undefined
  /** @default the process's own */
  readonly time?: Time
}

/**
 * Open the client of an API: connections, credentials and limits that all its streams share. `await using client =
 * openClient(api, …)`
 */
export function openClient(api: Api, options: ClientOptions): Client & AsyncDisposable {
  return new ApiClient(api, options)
}

class ApiClient implements Client, AsyncDisposable {
  readonly #api: Api
  readonly #options: ClientOptions
  readonly #addresses: Addresses
  readonly #attempts: number
  readonly #maxPageBytes: number
  readonly #timeoutMs: number
  readonly #slots: Semaphore
  readonly #agent: Agent
  readonly #authorization: Authorization & Partial<Disposable>
  readonly #budget: Budget & Partial<AsyncDisposable>
  readonly #time: Time
  readonly #reservations: Reservations
  readonly #bodies = new BodyBuffers()

  constructor(api: Api, options: ClientOptions) {
    const { concurrency = 8, attempts = 5, maxPageSize = '64MB', timeout = '60s' } = api
    const { secrets, now, time = realTime } = options
    for (const [name, value] of Object.entries({ concurrency, attempts })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new UsageError(`${redactUrl(api.base)}: ${name} has to be a whole number from 1 up, not ${value}`)
    }
    this.#api = api
    this.#options = options
    this.#addresses = readAddresses(api)
    this.#attempts = attempts
    this.#maxPageBytes = readSize(maxPageSize)
    this.#timeoutMs = readTimeout(timeout)
    this.#slots = new Semaphore(concurrency)
    this.#time = time
    // One time limit covers a try from sending to the last byte, so undici's own are off. HTTP/1.1 is what was
    // measured, and what fails in known ways.
    this.#agent = new Agent({
      connections: concurrency,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: this.#timeoutMs },
    })
    this.#budget = options.budget ?? budgetOf(api, this.#addresses.origin, options)
    this.#reservations = new Reservations({ first: Math.min(262_144, this.#maxPageBytes) })
    const { auth } = api
    this.#authorization =
      auth?.type === 'client credentials'
        ? new ClientCredentialsAuthorization(auth, {
            addresses: this.#addresses,
            agent: this.#agent,
            secrets,
            timeoutMs: this.#timeoutMs,
            time,
            now,
          })
        : authorizationOf(auth, secrets)
  }

  async send(request: PageRequest, options: SendOptions): Promise<DecodedResponse> {
    const { signal } = options
    const stream = options.stream ?? this.#options.stream ?? ''
    signal.throwIfAborted()
    try {
      const out = prepareRequest(request, {
        addresses: this.#addresses,
        secrets: this.#options.secrets,
        names: this.#authorization.secrets,
      })
      return await withRetry(() => this.#attempt(out, { ...options, stream }), {
        attempts: this.#attempts,
        time: this.#time,
        signal,
        onRetry: ({ attempt, reason, waitMs, retryAfter }) => {
          this.#options.emit({
            type: 'request.retried',
            stream,
            attempt,
            reason: this.#options.secrets.hide(reason),
            waitMs,
          })
          if (retryAfter) this.#options.emit({ type: 'waiting', stream, for: 'retry-after', ms: waitMs })
        },
      })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      redactError(error, this.#options.secrets.hide)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#authorization[Symbol.dispose]?.()
    await this.#agent.destroy()
    await this.#budget[Symbol.asyncDispose]?.()
  }

  /** One try. Memory comes first, since who waits for it must not hold a place that others need to give theirs back. */
  async #attempt(out: PreparedRequest, options: SendOptions & { readonly stream: string }): Promise<DecodedResponse> {
    using held = new DisposableStack()
    const { memory, signal, stream, emptyOn = [] } = options
    const onWait = (ms: number): void => this.#options.emit({ type: 'waiting', stream, for: 'memory', ms })
    const reservation = held.use(await this.#reservations.reserve(memory, { signal, onWait }))
    const { bytes, status, headers, url } = await this.#answer(out, options, reservation)
    reservation.settle(bytes?.length ?? 0)
    const { label } = out
    const isEmpty = emptyOn.includes(status)
    if (!isEmpty && (status < 200 || status > 299))
      throw statusError(status, headers, { label, remedy: this.#remedy(status), now: this.#options.now() })
    const answer = {
      status,
      headers,
      url: withoutParameters(url, this.#authorization.parameters).href,
      bytes: bytes?.length ?? 0,
    }
    if (bytes === undefined) return { ...answer, body: undefined, hold: held.move() }
    const measured = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    const decoded = decodeJson(bytes, {
      status,
      contentType: headers['content-type'],
      measured,
      label,
      hide: this.#options.secrets.hide,
    })
    this.#bodies.release(bytes)
    return { ...answer, body: out.isGraphql ? graphqlData(decoded, { label, status }) : decoded, hold: held.move() }
  }

  /** What is answered, after a 401 perhaps with new credentials; as many at once as the API's `concurrency` admits. */
  async #answer(
    out: PreparedRequest,
    options: SendOptions & { readonly stream: string },
    reservation: Reservation,
  ): Promise<FinalResponse> {
    using _slot = await this.#slots.acquire(options)
    const credentials = out.own ? await this.#authorization.credentials(options) : { headers: {}, query: {} }
    const first = await this.#exchange(out, credentials, options, reservation)
    if (first.status !== 401 || !first.own || !this.#authorization.renew(credentials)) return first
    return await this.#exchange(out, await this.#authorization.credentials(options), options, reservation)
  }

  async #exchange(
    out: PreparedRequest,
    credentials: Credentials,
    { signal, headers: given = {}, emptyOn = [], stream }: SendOptions & { readonly stream: string },
    reservation: Reservation,
  ): Promise<FinalResponse> {
    await this.#budget.acquire(1, {
      signal,
      onWait: (reason, ms) => this.#options.emit({ type: 'waiting', stream, for: reason, ms }),
    })
    const { method, label } = out
    const began = this.#time.clock()
    const told = (url: URL, status: number, bytes: number): void => {
      const shown = this.#options.secrets.hide(redactUrl(withoutParameters(url, this.#authorization.parameters)))
      this.#options.emit({
        type: 'request.finished',
        stream,
        method,
        url: shown,
        status,
        bytes,
        ms: Math.round(this.#time.clock() - began),
      })
    }
    using limit = deadline(signal, this.#timeoutMs, label)
    const size = {
      bytes: this.#maxPageBytes,
      tooLarge: () =>
        new DecodeError(
          `${label} answered more than ${this.#maxPageBytes} bytes: ask for smaller pages, or raise the API's maxPageSize`,
        ),
    }
    let last = { url: out.url, status: 0, bytes: 0 }
    try {
      const answer = await exchange(this.#agent, {
        ...out,
        emptyOn,
        signal: limit.signal,
        prepare: (url, at) => this.#prepare(url, at, credentials, given),
        onRedirect: (url, status) => told(url, status, 0),
        onAnswer: (url, status, headers) => {
          last = { ...last, url, status }
          this.#budget.observe(status, headers)
          const isRead = status >= 200 && status <= 299 && status !== 204 && status !== 205 && !emptyOn.includes(status)
          return isRead ? { ...size, onBytes: reservation.growTo, memory: this.#bodies } : undefined
        },
      })
      if (answer.bytes === undefined) return answer
      const bytes = await decompress(answer.bytes, {
        encoding: answer.headers['content-encoding'],
        limit: size.bytes,
        label,
        tooLarge: size.tooLarge,
      })
      if (bytes !== answer.bytes) this.#bodies.release(answer.bytes)
      last = { ...last, bytes: bytes.length }
      return { ...answer, bytes }
    } catch (error) {
      if (error instanceof SluiceError || error instanceof TransientError) throw error
      signal.throwIfAborted()
      if (limit.signal.aborted)
        throw new TransientError(messageOf(limit.signal.reason), { location: label, cause: limit.signal.reason })
      throw connectionError(error, label)
    } finally {
      told(last.url, last.status, last.bytes)
    }
  }

  /** Only the API's own origin gets its credentials and its headers. */
  #prepare(url: URL, label: string, credentials: Credentials, given: Readonly<Record<string, string>>): PreparedHop {
    const always = { accept: 'application/json', 'accept-encoding': ACCEPT_ENCODING, 'user-agent': 'sluice' }
    if (!isOwnOrigin(this.#addresses, url, label)) return { url, headers: always, own: false }
    const headers = { ...always, ...lowered(this.#api.headers ?? {}), ...credentials.headers, ...lowered(given) }
    return { url: withParameters(url, credentials.query), headers, own: true }
  }

  #remedy(status: number): string {
    const names = this.#authorization.secrets.join(' and ')
    if (status === 401)
      return names
        ? `: the credentials were refused; check ${names}`
        : ': it asks for credentials; give the API its auth'
    if (status === 403)
      return names
        ? `: what ${names} may read does not include this`
        : ': it may ask for credentials; give the API its auth'
    return ''
  }
}

function budgetOf(
  { auth, rate }: Api,
  name: string,
  { rates, now, time = realTime, emit }: ClientOptions,
): Budget & Partial<AsyncDisposable> {
  if (!rates) return rateBudget(rate, { now, time, name })
  const shared = rates({ origin: name, credentials: secretsOf(auth), rate })
  return sharedBudget(rate, { shared, now, time, name, warn: (message) => emit({ type: 'warning', message }) })
}

function readTimeout(timeout: string): number {
  try {
    return duration(timeout)
  } catch (error) {
    throw new UsageError(`the API's timeout: ${messageOf(error)}`, { cause: error })
  }
}

function readSize(size: Size): number {
  try {
    return parseSize(size)
  } catch (error) {
    throw new UsageError(`the API's maxPageSize: ${messageOf(error)}`, { cause: error })
  }
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
