import type { PathTemplate } from '../../model/request.ts'

/** A path below the base of an API: text that begins with `/`, or the `path` template for a path with values. */
export type Path = `/${string}` | PathTemplate

/**
 * A path with values. Each value is encoded as one segment of the path.
 *
 * @example
 * api.get<Invoice[]>(path`/customers/${customer.id}/invoices`)
 */
export const path = (texts: TemplateStringsArray, ...values: readonly (string | number | bigint)[]): PathTemplate =>
  Object.freeze({ texts: Object.freeze([...texts]), values: Object.freeze(values) })
