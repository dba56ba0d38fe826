// Values inside a decoded body: where a definition says that they are, and how messages name them.
import { valueAt } from '../model/path.ts'
import type { From } from '../model/request.ts'

/** Returns a value of the body, by a function or a path; the path '' is the body itself. */
export function valueFrom(from: From<never, unknown>, body: unknown): unknown {
  if (typeof from === 'function') return from(body as never)
  return from === '' ? body : valueAt(body, from)
}

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
