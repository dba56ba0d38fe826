// What a function that signs requests gets, and what it returns.
import type { Method } from './request.ts'

/** A request as it goes out, for a function that signs it. */
export interface RequestToSign {
  readonly method: Method
  /** The whole URL, with all parameters except those of the signature. */
  readonly url: URL
  /** Names are in lower case. `host` and `content-length` are not among them. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as it is sent. Empty if there is none. Throws a UsageError for a body that is no text: use `bytes`. */
  readonly body: string
  /** The bytes of the body. */
  readonly bytes: Uint8Array
}

/** What a signature adds to a request. */
export interface Signature {
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
}

/** Signs a request. The values of the secrets come in the order in which they were named. */
export type Sign = (request: RequestToSign, secrets: readonly string[]) => Signature
