// Values of a response: where a definition says that they are, and how messages name them.
import { isCondition, type InCondition } from '../model/condition.ts'
import { passes } from '../model/fits-condition.ts'
import { valueAt } from '../model/path.ts'
import type { ApiResponse, From, InHeader, InResponse, Parameter } from '../model/request.ts'
import { typeNameOf } from '../value/type-name.ts'

/** Returns a value of the body, by a function or a path; the path '' is the body itself. */
export function valueFrom(from: From<never, unknown>, body: unknown): unknown {
  if (typeof from === 'function') return from(body as never)
  return from === '' ? body : valueAt(body, from)
}

/** Returns a value of a response. A response without a body, such as one with status 204, has none in its body. */
export function valueIn(
  response: Pick<ApiResponse<unknown>, 'body' | 'headers'>,
  at: InResponse<never, unknown> | InCondition<never>,
): unknown {
  if (isCondition(at)) {
    const value = valueIn(response, at.at)
    // Without a value, nothing says whether it is the one that is waited for.
    return value === undefined && at.exists === undefined ? undefined : passes(value, at)
  }
  const { body, headers } = response
  // A header can say null only as text, as `sforce-locator: null` does.
  if (isInHeader(at)) return headers[at.header] === 'null' ? null : headers[at.header]
  return body === undefined ? undefined : valueFrom(at, body)
}

export const isInHeader = (
  at: InResponse<never, unknown> | InCondition<never> | Parameter | undefined,
): at is InHeader => typeof at === 'object' && 'header' in at

/** Returns the quoted path, `the header '…'`, or `the function`. */
export function nameOf(at: InResponse<never, unknown> | InCondition<never> | undefined): string {
  if (isCondition(at)) return nameOf(at.at)
  if (isInHeader(at)) return `the header '${at.header}'`
  return typeof at === 'string' ? `'${at}'` : 'the function'
}

/** Completes a sentence about a value that has the wrong type: `is missing`, or `holds text`. */
export const problemOf = (value: unknown): string => (value === undefined ? 'is missing' : `holds ${typeNameOf(value)}`)
