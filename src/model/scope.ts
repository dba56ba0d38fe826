import type { RunEvent } from './event.ts'
import type { Answer, Api, Asked } from './request.ts'

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
}

export interface Secrets {
  /** The value of a secret; throws, naming every place that was tried, where there is none. */
  readonly value: (name: string) => string
  /** Every known secret's value in a text or in JSON replaced by `{secret:NAME}`. */
  readonly hide: <T>(value: T) => T
  /** `{secret:NAME}` replaced by the value again. */
  readonly reveal: <T>(value: T) => T
}

/** Sends requests to one API: authenticated, limited, retried, decoded. */
export interface Client {
  send: (asked: Asked, options: SendOptions) => Promise<Received>
}

export interface SendOptions {
  readonly signal: AbortSignal
  readonly memory: MemoryAccount
  /** Headers of this endpoint; they win over those of the API. */
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses that are no failure: the body is then undefined. */
  readonly emptyOn?: readonly number[]
}

export interface Received extends Omit<Answer<unknown>, 'records'> {
  /** Bytes of decoded body text. */
  readonly bytes: number
  /** Given back to the memory budget when disposed. */
  readonly hold: Disposable
}

/**
 * One reader's part of the memory budget. A reader that holds nothing and that its consumer waits for is let through at once
 * (else streams that each hold a parent's page could wait for each other for ever); all others wait while the budget is used up.
 */
export interface MemoryAccount {
  /** Reserve before a body is read; the hold can be resized, without waiting, once its real size is known. */
  take: (bytes: number, options: { readonly signal: AbortSignal }) => Promise<Hold>
  /** An account for a reader below this one, as one child of a parent. `isNext` tells whether its consumer waits for it now. */
  below: (isNext: () => boolean) => MemoryAccount
  /** Ask again who may go on, after `isNext` of some account has changed. */
  recheck: () => void
}

export interface Hold extends Disposable {
  resize: (bytes: number) => void
}
