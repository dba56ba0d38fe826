import { Agent } from 'undici'
import type { RunEvent } from '../model/event.ts'
import type { SharedRates } from '../model/rate.ts'
import type { Api, PageRequest } from '../model/request.ts'
import type { RuleData } from '../model/response-rule.ts'
import type { Budget, Client, DecodedResponse, Secrets, SendOptions } from '../model/scope.ts'
import { redactError } from '../observe/redact.ts'
import { defined } from '../value/defined.ts'
import { withoutParameters } from './address.ts'
import { authorizationOf, secretsOf, type Authorization } from './auth/authorization.ts'
import { ClientCredentialsAuthorization } from './auth/client-credentials.ts'
import { BodyBuffers } from './body/body-buffers.ts'
import { wholeBody } from './body/decode.ts'
import { Reservations, type Reservation } from './body/reservation.ts'
import { graphqlData } from './graphql.ts'
import { interpret, type Interpretation } from './interpret.ts'
import { rateBudget } from './limits/rate-budget.ts'
import { sharedBudget } from './limits/shared-budget.ts'
import { realTime, type Time } from './limits/time.ts'
import { prepareRequest, type PreparedRequest } from './prepare-request.ts'
import { statusError } from './request-error.ts'
import { withRetry } from './retry.ts'
import { isEmptied, ruleError, ruleWait } from './rules/apply-rule.ts'
import { isSuccess, ResponseRules } from './rules/response-rules.ts'
import { Sender, type SentResponse, type StreamSendOptions } from './sender.ts'
import { readSettings, type Settings } from './settings.ts'

export interface ClientOptions {
  readonly secrets: Secrets
  readonly emit: (event: RunEvent) => void
  readonly now: () => Date
  /** The stream that events name if their request has none. @default '' */
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

/** A response to one try, and what it means. */
type Response = Interpretation & Pick<SentResponse, 'isOwn' | 'credentials'> & { readonly bytes: number }

class ApiClient implements Client, AsyncDisposable {
  readonly #options: ClientOptions
  readonly #settings: Settings
  readonly #agent: Agent
  readonly #authorization: Authorization & Partial<Disposable>
  readonly #budget: Budget & Partial<AsyncDisposable>
  readonly #reservations: Reservations
  readonly #buffers = new BodyBuffers()
  readonly #sender: Sender
  /** Rules for all responses, after those of the request. */
  readonly #rules: readonly RuleData[]

  constructor(api: Api, options: ClientOptions) {
    const { secrets, emit, now, time = realTime } = options
    const settings = readSettings(api)
    const { addresses, concurrency, maxPageBytes, timeoutMs } = settings
    this.#options = options
    this.#settings = settings
    this.#rules = api.responseRules ?? []
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
      const attempt = {
        ...options,
        headers: { ...options.headers, ...prepared.pageHeaders },
        rules: new ResponseRules([...(options.rules ?? []), ...this.#rules]),
        stream,
      }
      return await withRetry(() => this.#attempt(prepared, attempt), {
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
   * Tries a request once. First waits for its path, because other paths need the memory and the slot. Then reserves
   * memory before taking a slot: a waiter that holds a slot could block the readers that will free memory.
   */
  async #attempt(request: PreparedRequest, options: StreamSendOptions): Promise<DecodedResponse> {
    using held = new DisposableStack()
    const { emit } = this.#options
    const { memory, signal, stream } = options
    await this.#budget.acquire(0, {
      signal,
      paths: [request.path],
      onWait: (reason, ms) => emit({ type: 'waiting', stream, for: reason, ms }),
    })
    const onWait = (ms: number): void => emit({ type: 'waiting', stream, for: 'memory', ms })
    const reservation = held.use(await this.#reservations.reserve(memory, { signal, onWait }))
    let response = await this.#respond(request, options, reservation)
    if (response.rule?.action === 'renew' && response.isOwn && this.#authorization.renew(response.credentials))
      response = await this.#respond(request, options, reservation)
    const read = this.#read(request, response, options)
    const { status, headers, url } = response.seen
    return { status, headers, url, bytes: response.bytes, ...read, hold: held.move() }
  }

  async #respond(request: PreparedRequest, options: StreamSendOptions, reservation: Reservation): Promise<Response> {
    const { bytes, status, headers, url, isOwn, credentials } = await this.#sender.send(request, options, reservation)
    reservation.settle(bytes?.length ?? 0)
    const interpretation = await interpret(
      { status, headers, url: withoutParameters(url, this.#authorization.parameters).href, bytes },
      {
        rules: options.rules,
        format: request.isGraphql ? { type: 'json' } : options.format,
        records: options.records,
        maxBytes: this.#settings.maxPageBytes,
        label: request.label,
        hide: this.#options.secrets.hide,
      },
    )
    if (bytes) this.#buffers.release(bytes)
    return { ...interpretation, isOwn, credentials, bytes: bytes?.length ?? 0 }
  }

  /** Returns the body of a page, or the rule that makes it an empty one. Throws if the response is no page. */
  #read(
    { label, path, isGraphql }: PreparedRequest,
    { seen, rule, faults, found, error, isOwn }: Response,
    { acceptFaults, rules, stream }: StreamSendOptions,
  ): Pick<DecodedResponse, 'body' | 'rule' | 'faults' | 'found'> {
    const { now, secrets } = this.#options
    const { status, headers, body } = seen
    const asked = {
      label,
      now: now(),
      origin: this.#settings.addresses.origin,
      path,
      reach: isOwn ? rule?.reach : 'path',
    } as const
    const retryAfterMs = rule && ruleWait(rule, seen, asked.now)
    // The wait of a rule holds for other requests too, as that of a header does.
    if (rules.mayRetry(status, headers))
      this.#budget.observe(status, headers, { path, reach: asked.reach, waitMs: retryAfterMs, request: label, stream })
    if (isEmptied(rule)) return { body: undefined, rule }
    if (rule) throw ruleError(rule, seen, { ...asked, retryAfterMs, hide: secrets.hide })
    if (!isSuccess(status))
      throw statusError(status, headers, {
        ...asked,
        credentialsProblem: credentialsProblem(status, this.#authorization.secrets),
      })
    if (error) throw error
    if (!acceptFaults) wholeBody({ body, ...defined({ faults }) })
    // Status 204 has no body.
    const data = isGraphql && body !== undefined ? graphqlData(body, { label, status }) : body
    return { body: data, ...defined({ faults, found }) }
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
