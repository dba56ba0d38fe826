import { DecodeError } from '../model/errors.ts'
import type { AccountOf } from '../model/account.ts'
import type { RunEvent } from '../model/event.ts'
import type { SharedRates } from '../model/rate.ts'
import type { Api, Credentials, PageRequest } from '../model/request.ts'
import type { RuleData } from '../model/response-rule.ts'
import type { Budget, Client, DecodedResponse, Secrets, SendOptions } from '../model/scope.ts'
import type { TokenStore } from '../model/tokens.ts'
import { redactError } from '../observe/redact.ts'
import { defined } from '../value/defined.ts'
import { withoutParameters } from './address.ts'
import { openClientConnections, type ClientConnections } from './connections.ts'
import { Authorizations } from './auth/authorizations.ts'
import { fillFiles } from './body/file-contents.ts'
import { BodyBuffers } from './body/body-buffers.ts'
import { brokenBody, formatOfBody } from './formats/decode-body.ts'
import { Reservations, type Reservation } from './body/reservation.ts'
import { CostBudget } from './graphql/cost-budget.ts'
import { formInstead, REFUSED_QUERY, UNKNOWN_QUERY, type QueryForm } from './graphql/persisted.ts'
import { interpret } from './interpret.ts'
import { budgetOf } from './limits/budget-of.ts'
import { EndpointBudgets } from './limits/endpoint-budgets.ts'
import { realTime, type Time } from './limits/time.ts'
import { BodyReader, type OpenResponse } from './parts/body-reader.ts'
import { prepareRequest, type PreparedRequest } from './prepare-request.ts'
import { readResponse, type ReadingContext, type ReadResponse, type Response } from './read-response.ts'
import { withRetry } from './retry.ts'
import { ResponseRules } from './rules/response-rules.ts'
import { Sender, type StreamSendOptions } from './sender.ts'
import { readSettings, type Settings } from './settings.ts'
import type { Transport } from './transport.ts'

export interface ClientOptions {
  readonly secrets: Secrets
  readonly emit: (event: RunEvent) => void
  readonly now: () => Date
  /** For events without a stream. @default '' */
  readonly stream?: string
  /** @default a budget of this process, by the API's `rate` */
  readonly budget?: Budget
  /** Budgets that other processes share. @default none */
  readonly rates?: SharedRates | undefined
  /** The account whose requests are sent. @default none */
  readonly account?: AccountOf | undefined
  /** Keeps refresh tokens for all processes. @default none: `refreshToken()` throws */
  readonly tokens?: TokenStore | undefined
  /** Takes the place of the network. @default none */
  readonly transport?: Transport | undefined
  /** @default the time of this process, or of the transport */
  readonly time?: Time
}

/** Before any page is known, a page is assumed to take this much memory. */
const FIRST_PAGE_BYTES = 262_144
/** The start of a body. A request with a place in its body gets it part by part, however small it is. */
const NO_RECORDS = { records: 0, digest: '' }

/**
 * Opens the client of an API, with the connections, credentials and limits that all its streams share.
 *
 * @example
 * await using client = openClient(api, options)
 */
export function openClient(api: Api, options: ClientOptions): Client & AsyncDisposable {
  return new ApiClient(api, options)
}

/** A response that is a page, and the memory that it occupies. */
interface Tried {
  readonly response: Response
  readonly read: ReadResponse
  readonly held: DisposableStack
}

class ApiClient implements Client, AsyncDisposable {
  readonly #options: ClientOptions
  readonly #settings: Settings
  readonly #connections: ClientConnections
  readonly #authorizations: Authorizations
  readonly #auth: Credentials | undefined
  readonly #budget: Budget & Partial<AsyncDisposable>
  readonly #endpointBudgets: EndpointBudgets
  readonly #reservations: Reservations
  readonly #buffers = new BodyBuffers()
  readonly #sender: Sender
  /** Rules for all responses, after those of the request. */
  readonly #rules: readonly RuleData[]
  readonly #reading: ReadingContext
  /** The server knows no queries by name. */
  #sendsText = false

  constructor(api: Api, options: ClientOptions) {
    const { secrets, emit, now, transport, time = transport?.time ?? realTime } = options
    const settings = readSettings(api)
    const { addresses, maxPageBytes, timeoutMs } = settings
    this.#options = options
    this.#settings = settings
    this.#auth = api.auth
    this.#rules = api.responseRules ?? []
    this.#connections = openClientConnections(settings, api.auth, secrets, transport)
    const { agent, bodyAgent } = this.#connections
    // Requests that do not reach the API take nothing from the budget that all processes share.
    const budgetOptions = { ...options, rates: transport ? undefined : options.rates, time }
    this.#budget = options.budget ?? budgetOf(api, addresses.origin, budgetOptions)
    this.#endpointBudgets = new EndpointBudgets(api, addresses, { ...budgetOptions, whole: this.#budget })
    const costs = new CostBudget(time)
    this.#reading = { costs, secrets, now, origin: addresses.origin }
    this.#reservations = new Reservations({ firstBytes: Math.min(FIRST_PAGE_BYTES, maxPageBytes) })
    const shared = { agent, budget: this.#budget, secrets, time }
    this.#authorizations = new Authorizations({ ...shared, addresses, timeoutMs, now, tokens: options.tokens })
    this.#sender = new Sender({ agent, secrets, time, api, settings, bodyAgent, costs, buffers: this.#buffers, emit })
  }

  async send(request: PageRequest, options: SendOptions): Promise<DecodedResponse> {
    const { secrets, stream: ownStream = '' } = this.#options
    const { signal, stream = ownStream } = options
    signal.throwIfAborted()
    const authorization = this.#authorizations.of(options.auth ?? this.#auth)
    return this.#redacting(signal, async () => {
      const { endpoint, persisted, files } = options
      const filled = await fillFiles(request, files)
      const how = {
        addresses: this.#settings.addresses,
        secrets,
        names: authorization.secrets,
        endpoint,
        persisted,
        filled,
      }
      const prepare = (form: QueryForm): PreparedRequest => prepareRequest(request, { ...how, form })
      const prepared = prepare(this.#sendsText ? 'text' : 'named')
      const attempt = {
        ...options,
        budget: this.#endpointBudgets.of(request, options),
        authorization,
        headers: { ...options.headers, ...prepared.pageHeaders },
        rules: new ResponseRules([
          ...(persisted ? [UNKNOWN_QUERY] : []),
          ...(options.rules ?? []),
          ...this.#rules,
          ...(prepared.isGraphql ? [REFUSED_QUERY] : []),
        ]),
        stream,
        prepare,
      }
      return this.#retrying(() => this.#attempt(prepared, attempt), attempt)
    })
  }

  /** Hides the secrets in an error. An abort throws its own reason. */
  async #redacting<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) throw signal.reason
      redactError(error, this.#options.secrets.hide)
      throw error
    }
  }

  #retrying<T>(
    work: () => Promise<T>,
    { signal, stream, budget }: Pick<StreamSendOptions, 'signal' | 'stream' | 'budget'>,
  ): Promise<T> {
    const { emit, secrets } = this.#options
    return withRetry(work, {
      attempts: this.#settings.attempts,
      sleep: (ms, sleepOptions) => budget.sleep(ms, sleepOptions),
      signal,
      onRetry: ({ attempt, reason, waitMs, isRetryAfter }) => {
        emit({ type: 'request.retried', stream, attempt, reason: secrets.hide(reason), waitMs })
        if (isRetryAfter) emit({ type: 'waiting', stream, for: 'retry-after', ms: waitMs })
      },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#authorizations[Symbol.asyncDispose]()
    await this.#connections[Symbol.asyncDispose]()
    await this.#budget[Symbol.asyncDispose]?.()
    await this.#endpointBudgets[Symbol.asyncDispose]()
  }

  /**
   * Tries a request once. First waits for its path, because other paths need the memory and the slot. Then reserves
   * memory before taking a slot: a waiter that holds a slot could block the readers that will free memory.
   */
  async #attempt(request: PreparedRequest, options: StreamSendOptions): Promise<DecodedResponse> {
    const tried = await this.#try(request, options)
    const { response, read, held } = tried
    const { status, headers, url } = response.seen
    const decoded = { status, headers, url, bytes: response.bytes, ...read }
    const parts = this.#parts(request, options, tried)
    return parts ? { ...decoded, parts, hold: parts } : { ...decoded, hold: held }
  }

  async #try(request: PreparedRequest, options: StreamSendOptions): Promise<Tried> {
    using held = new DisposableStack()
    const { emit } = this.#options
    const { memory, signal, stream } = options
    await options.budget.acquire(0, {
      signal,
      paths: request.paths,
      onWait: (reason, ms) => emit({ type: 'waiting', stream, for: reason, ms }),
    })
    const onWait = (ms: number): void => emit({ type: 'waiting', stream, for: 'memory', ms })
    const reservation = held.use(await this.#reservations.reserve(memory, { signal, onWait }))
    let response = await this.#respond(request, options, reservation)
    const form = options.persisted === undefined ? undefined : formInstead(response.seen.body)
    this.#sendsText ||= form === 'text'
    if (form) response = await this.#respond(options.prepare(form), options, reservation)
    if (response.rule?.action === 'renew' && response.isOwn && options.authorization.renew(response.credentials))
      response = await this.#respond(request, options, reservation)
    const { rest } = response
    try {
      const read = readResponse(request, response, options, this.#reading)
      if (read.rule) rest?.[Symbol.dispose]()
      return { response, read, held: held.move() }
    } catch (error) {
      rest?.[Symbol.dispose]()
      throw error
    }
  }

  /** Returns the reader of a body that did not end within its first part. */
  #parts(request: PreparedRequest, options: StreamSendOptions, tried: Tried): BodyReader | undefined {
    const { parts, records = '', memory } = options
    if (!parts || !tried.response.rest || tried.read.rule) return undefined
    const { label } = request
    const again = { ...options, signal: parts.signal, parts: { from: NO_RECORDS, ...parts } }
    const { secrets } = this.#options
    return new BodyReader({
      first: this.#opened(request, options, tried),
      reopen: async () => this.#opened(request, again, await this.#try(request, again)),
      retry: (work) => this.#redacting(parts.signal, () => this.#retrying(work, again)),
      broken: (error, hasLength) =>
        brokenBody(error, { status: tried.response.seen.status, hasLength, label, hide: secrets.hide }),
      memory,
      signal: parts.signal,
      from: parts.from,
      records,
      maxBytes: this.#settings.maxPageBytes,
      label,
    })
  }

  #opened({ label, isGraphql }: PreparedRequest, options: StreamSendOptions, { response, held }: Tried): OpenResponse {
    const { rest, seen } = response
    if (!rest) {
      held[Symbol.dispose]()
      throw new DecodeError(`${label} answered ${seen.status} when its body was requested again`)
    }
    const { headers, url } = seen
    const format = isGraphql ? ({ type: 'json' } as const) : options.format
    return {
      headers,
      format: formatOfBody(rest.begin, { format, contentType: headers['content-type'], url }),
      body: rest,
      hold: held,
    }
  }

  async #respond(request: PreparedRequest, options: StreamSendOptions, reservation: Reservation): Promise<Response> {
    const sent = await this.#sender.send(request, options, reservation)
    const { bytes, status, headers, url, isOwn, credentials, rest } = sent
    const size = (bytes ?? rest?.begin)?.length ?? 0
    reservation.settle(size)
    const { href } = withoutParameters(url, options.authorization.parameters)
    const interpretation = await interpret(
      { status, headers, url: href, bytes, begin: rest?.begin },
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
    return { ...interpretation, isOwn, credentials, bytes: size, ...defined({ rest }) }
  }
}
