// A paginator's parameter in a request: in the JSON body or the GraphQL variables if there are any, else in the query.
import type { JsonValue } from '../../model/json.ts'
import type { PageRequest } from '../../model/request.ts'

/**
 * Returns the request with a parameter set. In JSON a dot leads one level down and keeps the other members:
 * `page.after` makes `{ page: { size: 50, after: … } }`.
 */
export function withParameter(request: PageRequest, name: string, value: string | number): PageRequest {
  return request.json
    ? { ...request, json: withMember(request.json, name, value) }
    : { ...request, query: { ...request.query, [name]: String(value) } }
}

export const parameterOf = (request: PageRequest, name: string): unknown =>
  request.json ? memberOf(request.json, name) : request.query[name]

type Members = Readonly<Record<string, JsonValue | undefined>>

function withMember(json: Members, name: string, value: JsonValue): Members {
  const dot = name.indexOf('.')
  if (dot < 0 || Object.hasOwn(json, name)) return { ...json, [name]: value }
  const first = name.slice(0, dot)
  return { ...json, [first]: withMember(membersOf(json[first]), name.slice(dot + 1), value) }
}

function memberOf(json: Members, name: string): unknown {
  const dot = name.indexOf('.')
  if (dot < 0 || Object.hasOwn(json, name)) return json[name]
  return memberOf(membersOf(json[name.slice(0, dot)]), name.slice(dot + 1))
}

const membersOf = (value: JsonValue | undefined): Members =>
  // The check leaves an object, but `Array.isArray` does not narrow a readonly array.
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
