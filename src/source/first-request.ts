// The first request of a page sequence: the endpoint's template with its path, bounds and first page filled in.
import { RejectError, UsageError } from '../model/errors.ts'
import { isFilePart } from '../model/file-part.ts'
import { isBound, isFilledIn } from '../model/bounds-in.ts'
import type {
  Bound,
  BoundText,
  Given,
  PageRequest,
  PathTemplate,
  Paging,
  Query,
  Range,
  Request,
  Sent,
} from '../model/request.ts'
import { defined } from '../value/defined.ts'
import { filledText } from './cursor/bound-text.ts'
import { boundValue, type Unit } from './cursor/bound-value.ts'
import { isCounted } from './paging/counted-pages.ts'
import { withParameter } from './paging/parameter.ts'

/** `unit` is what the numbers of the range count. */
export function firstRequest(
  { method, path, query, json, form, multipart, headers = {}, graphql, file }: Request,
  paging: Paging<never>,
  range: Range,
  unit?: Unit,
): PageRequest {
  const request: PageRequest = {
    method,
    url: file ?? (typeof path === 'string' ? path : pathOf(path)),
    query: asText(fillIn(query ?? {}, range, unit)),
    // A bound is filled in by text or a number, so what is left is JSON.
    ...defined({
      json: json && (fillIn(json, range, unit) as PageRequest['json']),
      form: form && asText(withoutFiles(fillIn(form, range, unit))),
      multipart,
      headers: boundHeaders(headers, range, unit),
      graphql,
    }),
  }
  const first = typeof paging === 'object' && paging.type === 'since' ? paging.within : paging
  return first && isCounted(first) ? withParameter(request, first.parameter, first.start) : request
}

/** Returns the path of an endpoint with `{}` in place of its values, so that it is the same for all parents. */
export const endpointOf = ({ path }: Pick<Request, 'path'>): string =>
  typeof path === 'string' ? path : path.texts.join('{}')

export const pathOf = ({ texts, values }: PathTemplate): string => String.raw({ raw: texts }, ...values.map(segment))

/** Encodes one segment. `..` cannot be encoded: even `%2e%2e` means "one level up" to a URL parser. */
function segment(value: string | number | bigint): string {
  const text = String(value)
  if (value === null || value === undefined || ['', '.', '..'].includes(text)) {
    throw new RejectError(
      `'${text}' cannot be a segment of a path. Use .filter() before, to leave out records without a proper value`,
    )
  }
  return encodeURIComponent(text)
}

/** Returns the members with bounds replaced by their values, without those that are undefined. */
function fillIn(given: Given<Query> | Given<Sent>, range: Range, unit: Unit | undefined): Record<string, unknown> {
  const members = typeof given === 'function' ? given(range) : given
  const fill = (bound: Bound): string | number | undefined => boundValue(bound, range, unit)
  return filledObject(members, (value) => (isBound(value) ? fill(value) : filledText(value, fill)))
}

/** A file in a function of the range would be written as text. Its content may have bounds itself. */
function withoutFiles(fields: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(fields))
    if ([value].flat().some(isFilePart))
      throw new UsageError(
        `${name}: a file stands in multipart: { … } itself, not in a form or a function of the range. ` +
          'Write the range into its content: filePart(text`…${since}…`)',
      )
  return fields
}

/** Returns the headers that change with the range, as text. All others are the same for every page. */
function boundHeaders(
  headers: NonNullable<Request['headers']>,
  range: Range,
  unit: Unit | undefined,
): Record<string, string> | undefined {
  const bounds = Object.entries(headers).filter(([, value]) => isFilledIn(value))
  const filled = Object.entries(fillIn(Object.fromEntries(bounds) as Query, range, unit))
  return filled.length > 0 ? Object.fromEntries(filled.map(([name, value]) => [name, String(value)])) : undefined
}

type Fill = (value: Bound | BoundText) => string | number | undefined

const filledObject = (members: object, fill: Fill): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(members)
      .map(([name, value]) => [name, filled(value, fill)] as const)
      .filter(([, value]) => value !== undefined),
  )

/** In a list, an object with a bound that the range does not have is left out as a whole: it is a condition. */
function filled(value: unknown, fill: Fill): unknown {
  if (isFilledIn(value)) return fill(value)
  if (Array.isArray(value)) return value.filter((item) => !lacksBound(item, fill)).map((item) => filled(item, fill))
  // Only plain objects are JSON; others may be written by `toJSON`.
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? filledObject(value, fill) : value
}

const lacksBound = (item: unknown, fill: Fill): boolean =>
  [item, ...membersOf(item)].some((value) => isFilledIn(value) && fill(value) === undefined)

const membersOf = (item: unknown): unknown[] => (typeof item === 'object' && item !== null ? Object.values(item) : [])

const asText = (query: Record<string, unknown>): PageRequest['query'] =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(String) : String(value as string | number),
    ]),
  )
