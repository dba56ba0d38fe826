import { Agent } from 'undici'
import type { RunEvent } from '../model/event.ts'
import type { SharedRates } from '../model/rate.ts'
import type { Api, PageRequest } from '../model/request.ts'
import type { Budget, Client, DecodedResponse, Secrets, SendOptions } from '../model/scope.ts'
import { redactError } from '../observe/redact.ts'
import { withoutParameters } from './address.ts'
import { authorizationOf, secretsOf, type Authorization } from './auth/authorization.ts'
import { ClientCredentialsAuthorization } from './auth/client-credentials.ts'
import { BodyBuffers } from './body/body-buffers.ts'
import { decodeJson } from './body/decode.ts'
import { Reservations } from './body/reservation.ts'
import { graphqlData } from './graphql.ts'
import { rateBudget } from './limits/rate-budget.ts'
import { sharedBudget } from './limits/shared-budget.ts'
import { realTime, type Time } from './limits/time.ts'
import { prepareRequest, type PreparedRequest } from './prepare-request.ts'
import { statusError } from './request-error.ts'
import { withRetry } from './retry.ts'
import { Sender, type StreamSendOptions } from './sender.ts'
import { readSettings, type Settings } from './settings.ts'

export interface ClientOptions {
  readonly secrets: Secrets
  readonly emit: (event: RunEvent) => void
  readonly now: () => Date
  /** Stream of the events of requests that name no other. @default '' */
  readonly stream?: string
  /** @default a budget of this process, by the API's `rate` */
  readonly budget?: Budget
  /** Budgets that other processes share. @default none */
  readonly rates?: SharedRates | undefined
  /** @default the time of this process */
  readonly time?: Time
}

/** Before any page is known, a page is assumed to take this much memory. */
const FIRST_PAGE_BYTES = 262_144

/**
 * Opens the client of an API, with the connections, credentials and limits that all its streams share.
 *
 * @example
 * await using client = openClient(api, options)
 */
export function openClient(api: Api, options: ClientOptions): Client & AsyncDisposable {
  return new ApiClient(api, options)
}

class ApiClient implements Client, AsyncDisposable {
  readonly #options: ClientOptions
  readonly #settings: Settings
  readonly #agent: Agent
  readonly #authorization: Authorization & Partial<Disposable>
  readonly #budget: Budget & Partial<AsyncDisposable>
  readonly #reservations: Reservations
  readonly #buffers = new BodyBuffers()
  readonly #sender: Sender

  constructor(api: Api, options: ClientOptions) {
    const { secrets, emit, now, time = realTime } = options
    const settings = readSettings(api)
    const { addresses, concurrency, maxPageBytes, timeoutMs } = settings
    this.#options = options
    this.#settings = settings
    // undici's own limits are off: one limit covers a try from sending to the last byte. HTTP/1.1 was measured, and
    // fails in known ways.
    this.#agent = new Agent({
      connections: concurrency,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: timeoutMs },
    })
    this.#budget = options.budget ?? budgetOf(api, addresses.origin, options)
    this.#reservations = new Reservations({ firstBytes: Math.min(FIRST_PAGE_BYTES, maxPageBytes) })
    this.#authorization =
      api.auth?.type === 'client credentials'
        ? new ClientCredentialsAuthorization(api.auth, {
            addresses,
            agent: this.#agent,
            secrets,
            budget: this.#budget,
            timeoutMs,
            time,
            now,
          })
        : authorizationOf(api.auth, secrets)
    this.#sender = new Sender({
      api,
      settings,
      agent: this.#agent,
      authorization: this.#authorization,
      budget: this.#budget,
      buffers: this.#buffers,
      secrets,
      time,
      emit,
    })
  }

  async send(request: PageRequest, options: SendOptions): Promise<DecodedResponse> {
    const { emit, secrets, stream: ownStream = '' } = this.#options
    const { signal, stream = ownStream } = options
    signal.throwIfAborted()
    try {
      const prepared = prepareRequest(request, {
        addresses: this.#settings.addresses,
        secrets,
        names: this.#authorization.secrets,
        endpoint: options.endpoint,
      })
      const headers = { ...options.headers, ...prepared.pageHeaders }
      return await withRetry(() => this.#attempt(prepared, { ...options, headers, stream }), {
        attempts: this.#settings.attempts,
        sleep: (ms, sleepOptions) => this.#budget.sleep(ms, sleepOptions),
        signal,
        onRetry: ({ attempt, reason, waitMs, isRetryAfter }) => {
          emit({ type: 'request.retried', stream, attempt, reason: secrets.hide(reason), waitMs })
          if (isRetryAfter) emit({ type: 'waiting', stream, for: 'retry-after', ms: waitMs })
        },
      })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      redactError(error, secrets.hide)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#authorization[Symbol.dispose]?.()
    await this.#agent.destroy()
    await this.#budget[Symbol.asyncDispose]?.()
  }

  /**
   * Tries a request once. Reserves memory before taking a slot: a waiter that holds a slot could block the readers that
   * will free memory.
   */
  async #attempt(request: PreparedRequest, options: StreamSendOptions): Promise<DecodedResponse> {
    using held = new DisposableStack()
    const { emit, now, secrets } = this.#options
    const { memory, signal, stream, emptyOn = [] } = options
    const onWait = (ms: number): void => emit({ type: 'waiting', stream, for: 'memory', ms })
    const reservation = held.use(await this.#reservations.reserve(memory, { signal, onWait }))
    const { bytes, status, headers, url, isOwn } = await this.#sender.send(request, options, reservation)
    reservation.settle(bytes?.length ?? 0)
    const { label, path } = request
    if (!emptyOn.includes(status) && (status < 200 || status > 299))
      throw statusError(status, headers, {
        label,
        credentialsProblem: credentialsProblem(status, this.#authorization.secrets),
        now: now(),
        origin: this.#settings.addresses.origin,
        path,
        reach: isOwn ? undefined : 'path',
      })
    const response = {
      status,
      headers,
      url: withoutParameters(url, this.#authorization.parameters).href,
      bytes: bytes?.length ?? 0,
    }
    if (bytes === undefined) return { ...response, body: undefined, hold: held.move() }
    const decoded = decodeJson(bytes, {
      status,
      contentType: headers['content-type'],
      hasLength: headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined,
      label,
      hide: secrets.hide,
    })
    this.#buffers.release(bytes)
    const body = request.isGraphql ? graphqlData(decoded, { label, status }) : decoded
    return { ...response, body, hold: held.move() }
  }
}

function credentialsProblem(status: number, secrets: readonly string[]): string | undefined {
  const names = secrets.join(' and ')
  switch (status) {
    case 401:
      return names
        ? `the credentials were refused; check ${names}`
        : 'the API asks for credentials; give the API its auth'
    case 403:
      return names
        ? `the credentials lack a permission; check what ${names} may read`
        : 'the API may ask for credentials; give the API its auth'
    default:
      return undefined
  }
}

function budgetOf(
  { auth, rate }: Api,
  origin: string,
  { rates, now, time = realTime, emit }: ClientOptions,
): Budget & Partial<AsyncDisposable> {
  if (!rates) return rateBudget(rate, { now, time, origin })
  const shared = rates({ origin, credentials: secretsOf(auth), rate })
  return sharedBudget(rate, { shared, now, time, origin, warn: (message) => emit({ type: 'warning', message }) })
}
