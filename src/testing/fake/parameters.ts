import { valueAt } from '../../model/path.ts'
import type { Parameter } from '../../model/request.ts'
import type { FakeRequest } from './fake-request.ts'

/** Usual names of the parameter that asks for a number of records. */
const SIZES = [
  'limit',
  'per_page',
  'page_size',
  'pageSize',
  'size',
  'first',
  'count',
  'page[size]',
  '$top',
  'max_results',
]

/** Returns a parameter of a request: from a header, the query, the JSON, the GraphQL variables or the form. */
export function parameterOf({ query, headers, json, form }: FakeRequest, name: Parameter): string | undefined {
  if (typeof name === 'object') return headers[name.header]?.toString()
  const value = query.get(name) ?? valueAt(variablesOf(json), name) ?? valueAt(json, name) ?? form.get(name)
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns the number of records that a request asks for, as text. */
export const sizeOf = (request: FakeRequest, size: string | undefined): string | undefined =>
  (size === undefined ? SIZES : [size]).map((name) => parameterOf(request, name)).find((text) => text !== undefined)

const variablesOf = (json: unknown): unknown =>
  typeof json === 'object' && json !== null && 'variables' in json ? json.variables : undefined
