import type { Bound, BoundText, Given, Query, Request, Sent } from './request.ts'

/** True for `since`, `until` and the values made of them. */
export const isBound = (value: unknown): value is Bound =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(value, 'bound') &&
  ['since', 'until'].includes((value as { readonly bound: unknown }).bound as string)

/** True for a text with ends of the range in it. */
export const isBoundText = (value: unknown): value is BoundText =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'textTemplate') && Object.hasOwn(value, 'values')

/** True for a value that is filled in when the range is known. */
export const isFilledIn = (value: unknown): value is Bound | BoundText => isBound(value) || isBoundText(value)

/** True if a request sends this end of the range, at any depth. A function of the range may send it. */
export const takesBound = (
  { query, json, form, headers }: Pick<Request, 'query' | 'json' | 'form' | 'headers'>,
  end: Bound['bound'],
): boolean => [query, json, form].some((given) => mayHave(given, end)) || holds(headers, end)

const mayHave = (given: Given<Query> | Given<Sent> | undefined, end: Bound['bound']): boolean =>
  typeof given === 'function' || holds(given, end)

const holds = (value: unknown, end: Bound['bound']): boolean => {
  if (isBound(value)) return value.bound === end
  return typeof value === 'object' && value !== null && Object.values(value).some((inner) => holds(inner, end))
}
