import { RejectError } from '../model/errors.ts'
import type { PageRequest, Given, PathTemplate, Paging, Query, Range, Request, Sent } from '../model/request.ts'
import { boundText, isBound, type Unit } from './cursor/bound.ts'
import { withParameter } from './paging/parameter.ts'

/** The first thing to ask of an endpoint, for a range whose numbers count in `unit`. */
export function firstRequest(
  { method, path, query, json, graphql }: Request,
  paging: Paging<never>,
  range: Range,
  unit?: Unit,
): PageRequest {
  const request: PageRequest = {
    method,
    url: typeof path === 'string' ? path : pathOf(path),
    query: texts(filled(given(query ?? {}, range), range, unit)),
    ...(json && { json: filled(given(json, range), range, unit) as PageRequest['json'] }),
    ...(graphql !== undefined && { graphql }),
  }
  return typeof paging === 'object' && (paging.type === 'page' || paging.type === 'offset')
    ? withParameter(request, paging.parameter, paging.start)
    : request
}

export const pathOf = ({ texts, values }: PathTemplate): string => String.raw({ raw: texts }, ...values.map(segment))

/** `..` cannot be encoded: a URL parser takes even `%2e%2e` for "one up", and would ask another endpoint. */
function segment(value: string | number | bigint): string {
  const text = String(value)
  if (value === null || value === undefined || ['', '.', '..'].includes(text)) {
    throw new RejectError(
      `'${text}' cannot be a segment of a path: leave out records without a proper value by .filter() before`,
    )
  }
  return encodeURIComponent(text)
}

const given = <T extends object>(value: Given<T>, range: Range): T =>
  typeof value === 'function' ? value(range) : value

/** Bounds replaced by their values; what is undefined is left out. */
function filled(values: Query | Sent, range: Range, unit: Unit | undefined): Record<string, unknown> {
  const entries = Object.entries(values).map(
    ([name, value]) => [name, isBound(value) ? boundText(value, range, unit) : value] as const,
  )
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

const texts = (query: Record<string, unknown>): PageRequest['query'] =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(String) : String(value as string | number),
    ]),
  )
