// An object whose members all go into the next request: `{ "continue": { "rccontinue": "…", "continue": "-||" } }`.
import type { JsonValue } from '../../model/json.ts'
import { PagingError } from '../../model/errors.ts'
import type { PageRequest } from '../../model/request.ts'
import { Decimal } from '../../value/decimal.ts'
import { typeNameOf } from '../../value/type-name.ts'

type Parameters = Readonly<Record<string, JsonValue | undefined>>

/**
 * Returns the first request with the members of a continuation. Members of the continuation before, which led to this
 * page, are removed: they would skip the beginning of a list that starts anew.
 */
export function withContinuation(request: PageRequest, members: object, name: string): PageRequest | undefined {
  if (typeof members !== 'object' || Array.isArray(members))
    throw new PagingError(
      `${name} should be an object whose members lead to the next page, but is ${typeNameOf(members)}`,
    )
  const entries = Object.entries(members).map(([key, value]) => [key, parameterOf(value, `${name}.${key}`)] as const)
  if (entries.length === 0) return undefined
  const { continued = {}, ...rest } = request
  const place = placeOf(rest)
  const sent: Parameters = rest[place] ?? {}
  const first: Parameters = Object.fromEntries([
    ...Object.entries(sent).filter(([key]) => !Object.hasOwn(continued, key)),
    ...Object.entries(continued).flatMap(([key, [value]]) => (value === undefined ? [] : [[key, value] as const])),
  ])
  return {
    ...rest,
    [place]: { ...first, ...Object.fromEntries(entries) },
    continued: Object.fromEntries(entries.map(([key]) => [key, first[key] === undefined ? [] : [first[key]]])),
  }
}

/** Where a request has its parameters. */
function placeOf({ json, form }: PageRequest): 'json' | 'form' | 'query' {
  if (json) return 'json'
  return form ? 'form' : 'query'
}

function parameterOf(value: unknown, name: string): string {
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Decimal) return value.text
  throw new PagingError(`${name} should be a parameter of the next request, but is ${typeNameOf(value)}`)
}
