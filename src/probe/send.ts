// Sends the few requests of a probe through the client of a run: with its credentials, redaction, proxies and retries.
import { openScope } from '../read/open-scope.ts'
import { HttpError } from '../model/errors.ts'
import type { Api, PageRequest } from '../model/request.ts'
import type { RuleData, RuleResponse } from '../model/response-rule.ts'
import type { Secrets } from '../model/scope.ts'
import { redactUrl } from '../observe/redact.ts'
import { messageOf } from '../value/error.ts'

/** The most requests that a probe sends, one after the other. Reading two pages at the end comes on top. */
export const MAX_REQUESTS = 12

/** A response to a request of a probe. A failure is one, too, because it says something about the API. */
export interface Answer {
  /** The URL that was requested, without secrets. */
  readonly url: string
  /** 0 if there was no response. */
  readonly status: number
  readonly headers: RuleResponse['headers']
  /** Undefined if it could not be decoded. */
  readonly body: unknown
  /** The beginning of the body. */
  readonly text: string
  /** Why there is no page. */
  readonly error?: string
}

export interface SendEvents {
  /** Called before a request is sent. `number` counts from 1. */
  readonly onRequest?: (number: number, url: string) => void
  readonly onAnswer?: (answer: Answer) => void
  /** Called before a request is tried again. */
  readonly onRetry?: (reason: string, waitMs: number) => void
}

export interface SenderOptions extends SendEvents {
  readonly api: Api
  readonly secrets: Secrets
  readonly signal: AbortSignal
}

/** Sends requests to one API, and counts them. */
export class Sender implements AsyncDisposable {
  readonly #options: SenderOptions
  readonly #scope: ReturnType<typeof openScope>
  #sent = 0

  constructor(options: SenderOptions) {
    const { signal, secrets, onRetry } = options
    this.#options = options
    this.#scope = openScope({
      signal,
      secrets,
      emit: (event) => {
        if (event.type === 'request.retried') onRetry?.(event.reason, event.waitMs)
      },
    })
  }

  /** The number of requests that may still be sent. */
  get left(): number {
    return MAX_REQUESTS - this.#sent
  }

  /** Requests one page. `url` is a path below the base, or a whole URL. Throws only if the probe is stopped. */
  async get(url: string, query: PageRequest['query'], headers?: PageRequest['headers']): Promise<Answer> {
    const { api, secrets, signal, onRequest, onAnswer } = this.#options
    const whole = secrets.hide(redactUrl(withQuery(URL.canParse(url) ? url : api.base + url, query)))
    this.#sent += 1
    const beside = Object.entries(headers ?? {}).map(([name, value]) => ` (${name}: ${value})`)
    onRequest?.(this.#sent, whole + beside.join(''))
    let seen: RuleResponse | undefined
    const rules: readonly RuleData[] = [
      {
        when: (response) => {
          seen = response
          return isRefusal(response)
        },
        action: 'empty',
      },
    ]
    const request: PageRequest = { method: 'GET', url, query, ...(headers && { headers }) }
    let answer: Answer
    try {
      const { memory } = this.#scope
      const decoded = await this.#scope.client(api).send(request, { signal, memory, rules })
      const { status, headers, body = seen?.body, found, hold } = decoded
      hold[Symbol.dispose]()
      answer = { url: whole, status, headers, body: body ?? found, text: seen?.text ?? '' }
    } catch (error) {
      if (signal.aborted) throw error
      const status = seen?.status ?? (error instanceof HttpError ? error.status : 0)
      const { headers = {}, text = '' } = seen ?? {}
      answer = { url: whole, status, headers, body: seen?.body, text, error: secrets.hide(messageOf(error)) }
    }
    onAnswer?.(answer)
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]()
  }
}

/** A refusal that another try would not change: it is an answer. */
const isRefusal = ({ status, headers }: RuleResponse): boolean =>
  status >= 400 && status < 500 && ![408, 425, 429].includes(status) && headers['retry-after'] === undefined

function withQuery(url: string, query: PageRequest['query']): string {
  const whole = new URL(url)
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) whole.searchParams.append(name, one)
  return whole.href
}
