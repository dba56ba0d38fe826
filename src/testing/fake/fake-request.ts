import type { IncomingHttpHeaders } from 'node:http'
import type { FaultKind } from './faults.ts'

/** A request that a fake API received. */
export interface FakeRequest {
  /** Counted from 1, in the order of arrival. */
  readonly number: number
  readonly method: string
  /** Path and query, as they were sent. */
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  /** Names are in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>
  readonly body: string
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown
  /** The fields of the body, if it is a form. */
  readonly form: URLSearchParams
  /** How often the same request has come, counted from 1. */
  readonly tries: number
  /** The fault that it had. */
  readonly fault?: FaultKind
  /** The status of the response; 0 until it is sent. */
  readonly status: number
  /** The number of records in the response. */
  readonly records: number
}

/** An answer of one's own. */
export interface FakeAnswer {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly json?: unknown
  /** A body that is no JSON. Its content type is text/plain, unless `headers` has another. */
  readonly body?: string | Uint8Array
}
