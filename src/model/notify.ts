import type { Secret } from './request.ts'

/** Where alarms of a pipeline go. Plain data: addresses that are secrets are named, and never stored. */
export type NotifyTarget =
  | {
      readonly type: 'webhook'
      readonly url: Secret
      /** The key of the signature. @default no signature */
      readonly signWith?: Secret
    }
  | { readonly type: 'slack'; readonly url: Secret }
  | {
      readonly type: 'email'
      readonly to: readonly string[]
      readonly from: string
      /** `smtp://user:password@host:587`, or `smtps://`. */
      readonly server: Secret
    }
  | { readonly type: 'command'; readonly words: readonly string[] }

/** What is told of a pipeline, and to whom. */
export interface Notify {
  /** Empty: nobody. */
  readonly to: readonly NotifyTarget[]
  /** More waiting rejects of a stream than this are a problem. @default only if a run has rejected everything */
  readonly rejects?: number
}

/** A problem of a pipeline or of a stream, from when it was found until it was found no more. */
export interface Incident {
  readonly id: string
  readonly pipeline: string
  /** Undefined for a problem of the whole pipeline. */
  readonly stream?: string
  /** Such as `failed` or `overdue`: the kinds of problems of `sluice status`. */
  readonly kind: string
  /** What is wrong, and what to do. */
  readonly message: string
  /** ISO 8601. */
  readonly openedAt: string
  /** ISO 8601; undefined while the problem lasts. */
  readonly closedAt?: string
}

/** What one message says. */
export interface Notice {
  /** The same for each attempt to send it. */
  readonly id: string
  /** ISO 8601. */
  readonly at: string
  readonly opened: readonly Incident[]
  readonly closed: readonly Incident[]
  /** Sent by `sluice notify test`. */
  readonly isTest?: true
}

/** Returns the name of a target for the ledger and for messages. It holds no secret. */
export function targetName(target: NotifyTarget): string {
  switch (target.type) {
    case 'webhook':
    case 'slack':
      return `${target.type} ${target.url.secret}`
    case 'email':
      return `email ${target.to.join(', ')}`
    case 'command':
      return `command ${target.words.join(' ')}`
  }
}
