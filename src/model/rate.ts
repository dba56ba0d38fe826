// One API's request budget, as all processes share it: the ledger counts the requests, each client obeys the counts.
import type { RequestRate } from './rate-limit.ts'

export { canonicalLimits, capacityOf, limitsKey, limitsText, parseLimits, parseRate } from './rate-limits.ts'
export type { RequestRate } from './rate-limit.ts'

/**
 * Requests with the same origin, the same secrets and the same declared rate are counted together. What the API asks to
 * wait for holds for all rates of the same origin and secrets.
 */
export interface RateIdentity {
  readonly origin: string
  /** Names of secrets, never their values. */
  readonly credentials: readonly string[]
  /** The declared limits as text. */
  readonly rate: string | undefined
  /** The endpoint that has the limits for itself, such as `GET /users`. @default the whole API has them */
  readonly endpoint?: string | undefined
}

/** Returns the limits of a budget as the ledger keeps them, '' for none. */
export const rateName = ({ rate = '', endpoint }: Pick<RateIdentity, 'rate' | 'endpoint'>): string =>
  endpoint === undefined ? rate : `${rate} of ${endpoint}`

/** Matches the endpoint in the name of a budget: a regular expression of PostgreSQL. */
export const ENDPOINT_IN_NAME = String.raw` of ([A-Z]+ \S+)$`

/** The path of a wait that holds for the whole API. */
export const WHOLE_API = ''

/** The response that stated a limit. */
export interface LimitSource {
  /** '' if no stream was named. */
  readonly stream: string
  /** The request as messages name it, such as `GET /orders`. */
  readonly request: string
  readonly status: number
  /** The header and its value, such as `retry-after: 3600`. */
  readonly header: string
}

/** A time in which no request may be sent. */
export interface Wait {
  /** The path that it holds for, or `WHOLE_API`. */
  readonly path: string
  readonly ms: number
  /** Undefined if it is not known. */
  readonly source?: LimitSource | undefined
}

/** The requests that an API admits until its reset. */
export interface Remaining {
  readonly requests: number
  readonly ms: number
  /** Undefined if it is not known. */
  readonly source?: LimitSource | undefined
}

/** Limits that an API stated in a response. */
export interface Limits {
  readonly wait?: Wait | undefined
  readonly remaining?: Remaining | undefined
}

/** All limits of an API that the ledger knows. */
export interface KnownLimits {
  readonly waits: readonly Wait[]
  readonly remaining?: Remaining | undefined
}

/** Use of an earlier grant. Reporting it frees the requests that were not sent. */
export interface LeaseUsage {
  readonly lease: string | undefined
  readonly used: number
  /** Time since the last of them was sent. */
  readonly usedMsAgo: number
  readonly unused: number
}

export interface GrantRequest {
  /** All of them hold. @default no limit other than the one that the API stated */
  readonly limits?: readonly RequestRate[]
  readonly wanted: number
  /** Grants fewer requests than this as 0. */
  readonly least: number
  /** The requests are sent within this time, counted from the call, or not at all. */
  readonly validMs: number
  readonly previous?: LeaseUsage | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Grant {
  readonly lease: string | undefined
  /** 0: ask again after `waitMs`. */
  readonly requests: number
  readonly waitMs: number
  /** The whole API asked for a wait. `read` returns it with its source. */
  readonly isBlocked: boolean
  readonly remaining?: Remaining | undefined
}

/** The shared part of one budget, kept in the ledger. */
export interface SharedRate {
  /** Grants requests. All processes together never get more than the limit within any period. */
  grant: (request: GrantRequest) => Promise<Grant>
  /** Stores the limits that the API stated, and notifies the other processes. */
  report: (limits: Limits, options: { readonly signal?: AbortSignal | undefined }) => Promise<void>
  /** Returns the limits that all processes have reported. */
  read: (options: { readonly signal?: AbortSignal | undefined }) => Promise<KnownLimits>
  /** Calls `listener` whenever a process has reported or lifted limits, until the result is disposed. */
  subscribe: (listener: () => void) => Disposable
}

/** Opens the shared budget of an API. Sends no statement yet. */
export type SharedRates = (identity: RateIdentity) => SharedRate
