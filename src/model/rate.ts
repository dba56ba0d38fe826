// One API's budget of requests as all processes share it: counted by one (the ledger), obeyed by each (http).
import type { Rate } from './request.ts'

/** Whose requests are counted together: who asks the same origin with the same secrets, at the same declared rate. */
export interface RateIdentity {
  readonly origin: string
  /** Names of secrets, never their values. */
  readonly credentials: readonly string[]
  readonly rate: Rate | undefined
}

/** What an API has answered about how soon it may be asked again. */
export interface Limits {
  /** Nothing may be sent for so long. */
  readonly blockedMs?: number | undefined
  /** So many requests are left for so long. */
  readonly left?: { readonly requests: number; readonly ms: number } | undefined
}

/**
 * What became of requests that were granted: a process that knows says so, and they count no longer than they have to.
 */
export interface LeaseUsage {
  readonly lease: string | undefined
  readonly used: number
  /** Since the last of them was sent. */
  readonly usedMsAgo: number
  readonly unused: number
}

export interface GrantRequest {
  /** So many within each period; without it, what the API has answered is all that limits. */
  readonly limit?: { readonly requests: number; readonly periodMs: number } | undefined
  readonly wanted: number
  /** Fewer are of no use. */
  readonly least: number
  /** They will have been sent within so long after this was asked, or not at all. */
  readonly validMs: number
  readonly previous?: LeaseUsage | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Grant extends Limits {
  readonly lease: string | undefined
  /** 0: ask again after `waitMs`. */
  readonly requests: number
  readonly waitMs: number
}

/** The ledger's side of one budget. */
export interface SharedRate {
  /** Requests to send, for all processes no more than the limit within any period. */
  grant: (asked: GrantRequest) => Promise<Grant>
  /** Tell all others what the API has answered. */
  report: (limits: Limits, options: { readonly signal?: AbortSignal | undefined }) => Promise<void>
  /** What others have told so far. */
  read: (options: { readonly signal?: AbortSignal | undefined }) => Promise<Limits>
  /** Be called when another process has told something, for as long as the result is held. */
  subscribe: (hear: () => void) => Disposable
}

/** Opens the shared budget of an API; asks nothing yet. */
export type SharedRates = (identity: RateIdentity) => SharedRate
