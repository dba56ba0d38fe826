import type { JsonValue } from '../../model/json.ts'
import type { Asked } from '../../model/request.ts'

/**
 * A paginator's parameter goes where the request's own are: into the query, the JSON or the GraphQL variables.
 * In JSON a dot goes one step down, and what stands beside it stays: `page.after` makes `{ page: { size: 50, after: … }
 * }`.
 */
export function withParameter(asked: Asked, name: string, value: string | number): Asked {
  return asked.json
    ? { ...asked, json: placed(asked.json, name, value) }
    : { ...asked, query: { ...asked.query, [name]: String(value) } }
}

export const parameterOf = (asked: Asked, name: string): unknown =>
  asked.json ? at(asked.json, name) : asked.query[name]

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
