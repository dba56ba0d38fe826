// A paginator's parameter in a request: in the JSON body, the GraphQL variables or the form if there is one, else in
// the query; or in a header.
import type { JsonValue } from '../../model/json.ts'
import { PagingError } from '../../model/errors.ts'
import type { PageRequest, Parameter } from '../../model/request.ts'
import { isInHeader } from '../response-value.ts'

/**
 * Returns the request with a parameter set. In JSON a dot leads one level down and keeps the other members:
 * `page.after` makes `{ page: { size: 50, after: … } }`.
 */
export function withParameter(request: PageRequest, name: Parameter, value: string | number): PageRequest {
  if (isInHeader(name))
    return { ...request, headers: { ...request.headers, [name.header]: headerValue(name.header, value) } }
  if (request.json) return { ...request, json: withMember(request.json, name, value) }
  return request.form
    ? { ...request, form: { ...request.form, [name]: String(value) } }
    : { ...request, query: { ...request.query, [name]: String(value) } }
}

export function parameterOf(request: PageRequest, name: Parameter): unknown {
  if (isInHeader(name)) return request.headers?.[name.header]
  return request.json ? memberOf(request.json, name) : (request.form ?? request.query)[name]
}

/** Returns a text that a header may hold. A line break in it would start another header. */
function headerValue(header: string, value: string | number): string {
  const text = String(value)
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) return text
  throw new PagingError(`the value for the header '${header}' contains characters that no header may have`)
}

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
