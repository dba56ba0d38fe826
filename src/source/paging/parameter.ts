import type { JsonValue } from '../../model/json.ts'
import type { PageRequest } from '../../model/request.ts'

/**
 * A paginator's parameter goes where the request's own are: into the query, the JSON or the GraphQL variables.
 * In JSON a dot goes one step down, and what stands beside it stays: `page.after` makes `{ page: { size: 50, after: … }
 * }`.
 */
export function withParameter(request: PageRequest, name: string, value: string | number): PageRequest {
  return request.json
    ? { ...request, json: placed(request.json, name, value) }
    : { ...request, query: { ...request.query, [name]: String(value) } }
}

export const parameterOf = (request: PageRequest, name: string): unknown =>
  request.json ? at(request.json, name) : request.query[name]

type Members = Readonly<Record<string, JsonValue | undefined>>

function placed(json: Members, name: string, value: JsonValue): Members {
  const dot = name.indexOf('.')
  if (dot < 0 || Object.hasOwn(json, name)) return { ...json, [name]: value }
  const first = name.slice(0, dot)
  return { ...json, [first]: placed(membersOf(json[first]), name.slice(dot + 1), value) }
}

function at(json: Members, name: string): unknown {
  const dot = name.indexOf('.')
  if (dot < 0 || Object.hasOwn(json, name)) return json[name]
  return at(membersOf(json[name.slice(0, dot)]), name.slice(dot + 1))
}

const membersOf = (value: JsonValue | undefined): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
