import type { PathTemplate } from '../model/request.ts'

/** A path below the base: written whole, or by `path` where it holds values. */
export type Path = `/${string}` | PathTemplate

/** Each value becomes one segment of the path, encoded: ``path`/customers/${id}/invoices` ``. */
export const path = (texts: TemplateStringsArray, ...values: readonly (string | number | bigint)[]): PathTemplate =>
  Object.freeze({ texts: Object.freeze([...texts]), values: Object.freeze(values) })
