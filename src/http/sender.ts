import type { Agent } from 'undici'
import { Semaphore } from '../flow/semaphore.ts'
import { deadline } from '../flow/signals/timeout.ts'
import { DecodeError, SluiceError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Api } from '../model/request.ts'
import type { Budget, Secrets, SendOptions } from '../model/scope.ts'
import { redactUrl } from '../observe/redact.ts'
import { messageOf } from '../value/error.ts'
import { isOwnOrigin, secureUrl, withoutParameters, withParameters } from './address.ts'
import type { Authorization, Credentials } from './auth/authorization.ts'
import type { BodyBuffers } from './body/body-buffers.ts'
import { ACCEPT_ENCODING, decompress } from './body/decompress.ts'
import type { Reservation } from './body/reservation.ts'
import { exchange, type FinalResponse, type PreparedHop } from './exchange.ts'
import type { Time } from './limits/time.ts'
import type { PreparedRequest } from './prepare-request.ts'
import { connectionError, TransientError } from './request-error.ts'
import type { Settings } from './settings.ts'

export interface SenderOptions {
  readonly api: Api
  readonly settings: Settings
  readonly agent: Agent
  readonly authorization: Authorization
  readonly budget: Budget
  readonly buffers: BodyBuffers
  readonly secrets: Secrets
  readonly time: Time
  readonly emit: (event: RunEvent) => void
}

export type StreamSendOptions = SendOptions & { readonly stream: string }

const NO_CREDENTIALS: Credentials = { headers: {}, query: {} }
const OWN_HEADERS = { accept: 'application/json', 'accept-encoding': ACCEPT_ENCODING, 'user-agent': 'sluice' }

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

  /** Sends a request. After status 401 sends it once more, if the API's credentials can be renewed. */
  async send(request: PreparedRequest, options: StreamSendOptions, reservation: Reservation): Promise<FinalResponse> {
    const { authorization } = this.#options
    using _slot = await this.#slots.acquire(options)
    const credentials = request.isOwn ? await authorization.credentials(options) : NO_CREDENTIALS
    const first = await this.#exchange(request, credentials, options, reservation)
    if (first.status !== 401 || !first.isOwn || !authorization.renew(credentials)) return first
    return await this.#exchange(request, await authorization.credentials(options), options, reservation)
  }

  async #exchange(
    request: PreparedRequest,
    credentials: Credentials,
    { signal, headers = {}, emptyOn = [], stream, onTry }: StreamSendOptions,
    reservation: Reservation,
  ): Promise<FinalResponse> {
    const { agent, budget, buffers, settings, time, emit } = this.#options
    await budget.acquire(1, {
      signal,
      onWait: (reason, ms) => emit({ type: 'waiting', stream, for: reason, ms }),
    })
    const { method, label } = request
    const startedAt = time.clock()
    const emitFinished = (url: URL, status: number, bytes: number): void =>
      emit({
        type: 'request.finished',
        stream,
        method,
        url: this.#displayUrl(url),
        status,
        bytes,
        ms: Math.round(time.clock() - startedAt),
      })
    using limit = deadline(signal, settings.timeoutMs, label)
    const tooLarge = (): DecodeError => this.#tooLarge(label)
    let last = { url: request.url, status: 0, bytes: 0 }
    try {
      const response = await exchange(agent, {
        ...request,
        emptyOn,
        signal: limit.signal,
        prepare: (url, hopLabel, from) =>
          this.#prepare(
            secureUrl(settings.addresses, url, from?.isOwn ? from.url : undefined),
            hopLabel,
            credentials,
            headers,
          ),
        onRedirect: (url, status) => emitFinished(url, status, 0),
        onResponse: (url, status, responseHeaders) => {
          last = { ...last, url, status }
          budget.observe(status, responseHeaders)
          return hasBody(status) && !emptyOn.includes(status)
            ? { bytes: settings.maxPageBytes, tooLarge, onBytes: reservation.growTo, buffers }
            : undefined
        },
      })
      if (response.bytes === undefined) return response
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
      throw connectionError(error, label)
    } finally {
      emitFinished(last.url, last.status, last.bytes)
      onTry?.(last.status, time.clock() - startedAt)
    }
  }

  /** Adds credentials and headers of the API to a request for its own origin, and to no other. */
  #prepare(url: URL, label: string, credentials: Credentials, headers: Readonly<Record<string, string>>): PreparedHop {
    const { api, settings } = this.#options
    if (!isOwnOrigin(settings.addresses, url, label)) return { url, headers: OWN_HEADERS, isOwn: false }
    return {
      url: withParameters(url, credentials.query),
      headers: { ...OWN_HEADERS, ...lowered(api.headers ?? {}), ...credentials.headers, ...lowered(headers) },
      isOwn: true,
    }
  }

  #tooLarge(label: string): DecodeError {
    return new DecodeError(
      `${label} answered more than ${this.#options.settings.maxPageBytes} bytes: ` +
        `ask for smaller pages, or raise the API's maxPageSize`,
    )
  }

  /** Returns a URL without the parameters and the secrets of its credentials. */
  #displayUrl(url: URL): string {
    const { authorization, secrets } = this.#options
    return secrets.hide(redactUrl(withoutParameters(url, authorization.parameters)))
  }
}

function timedOut(reason: unknown, label: string): TransientError {
  return new TransientError(messageOf(reason), { location: label, cause: reason })
}

function hasBody(status: number): boolean {
  return status >= 200 && status <= 299 && status !== 204 && status !== 205
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
