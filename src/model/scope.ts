import type { RunEvent } from './event.ts'
import type { MemoryAccount } from '../flow/memory-account.ts'
import type { ApiResponse, Api, PageRequest } from './request.ts'

/** What a run lends to everything below it. Recipes hold no agent, socket or environment value; this does. */
export interface Scope {
  /** Aborts when the work is to stop; every wait obeys it. */
  readonly signal: AbortSignal
  readonly now: () => Date
  readonly emit: (event: RunEvent) => void
  readonly secrets: Secrets
  /** The open client of an API: one for each source and run. */
  readonly client: (api: Api) => Client
  /** This reader's account with the one memory budget of the process. */
  readonly memory: MemoryAccount
  /** The stream that is being read, for events. */
  readonly stream?: string
}

export interface Secrets {
  /** The value of a secret; throws, naming every place that was tried, where there is none. */
  readonly value: (name: string) => string
  /** Every known secret's value in a text or in JSON replaced by `{secret:NAME}`. */
  readonly hide: <T>(value: T) => T
  /**
   * `{secret:NAME}` replaced by the value again. What an API sent may contain such a text as well, so a request reveals
   * only the `names` that its own API uses; without `names`, all.
   */
  readonly reveal: <T>(value: T, names?: readonly string[]) => T
  /** Hide this value too, though no variable holds it: a token that was fetched, an encoded password. */
  readonly register?: (name: string, value: string) => void
}

/**
 * Sends requests to one API: authenticated, limited, retried, decoded. A secret that stands as `{secret:NAME}` in what
 * is asked is put in by it.
 */
export interface Client {
  send: (request: PageRequest, options: SendOptions) => Promise<DecodedResponse>
}

/** How many requests an API admits, shared by everybody who asks it. */
export interface Budget {
  /**
   * Wait until so many requests may be sent; `onWait` is told before each wait. Throws `RateLimitedError` where the API
   * asks for a longer wait than a run may take.
   */
  acquire: (
    requests: number,
    options: {
      readonly signal: AbortSignal
      readonly onWait?: (reason: 'rate limit' | 'retry-after', ms: number) => void
    },
  ) => Promise<void>
  /** What an answer tells about its API's limits. */
  observe: (status: number, headers: ApiResponse<unknown>['headers']) => void
}

export interface SendOptions {
  readonly signal: AbortSignal
  readonly memory: MemoryAccount
  /** Headers of this endpoint; they win over those of the API. */
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses that are no failure: the body is then undefined. */
  readonly emptyOn?: readonly number[]
  /** Whose request it is, for events. */
  readonly stream?: string | undefined
}

export interface DecodedResponse extends Omit<ApiResponse<unknown>, 'records'> {
  /** Bytes of decoded body text. */
  readonly bytes: number
  /** Given back to the memory budget when disposed. */
  readonly hold: Disposable
}
