// Values of a response: where a definition says that they are, and how messages name them.
import { valueAt } from '../model/path.ts'
import type { ApiResponse, From } from '../model/request.ts'

/** Returns a value of the body, by a function or a path; the path '' is the body itself. */
export function valueFrom(from: From<never, unknown>, body: unknown): unknown {
  if (typeof from === 'function') return from(body as never)
  return from === '' ? body : valueAt(body, from)
}

/** Returns a value of a response. A response without a body, such as one with status 204, has none in its body. */
export const valueIn = (response: Pick<ApiResponse<unknown>, 'body'>, at: From<never, unknown>): unknown =>
  response.body === undefined ? undefined : valueFrom(at, response.body)

/** Returns the quoted path, or `the function`. */
export const nameOf = (from: From<never, unknown> | undefined): string =>
  typeof from === 'string' ? `'${from}'` : 'the function'

/** Returns the type of a value with its article, as in `a list`. */
export function typeNameOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}

/** Completes a sentence about a value that has the wrong type: `is missing`, or `holds text`. */
export const problemOf = (value: unknown): string => (value === undefined ? 'is missing' : `holds ${typeNameOf(value)}`)
