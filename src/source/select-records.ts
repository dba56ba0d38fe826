import { DecodeError } from '../model/errors.ts'
import type { HttpSource } from '../model/recipe.ts'
import { kindOf } from './paging/next-request.ts'
import { messageOf } from '../value/error.ts'

type Where = Pick<HttpSource, 'records' | 'optional'>

/**
 * The records of a body. Null is an empty page; a missing step is an error that names what was there, since a renamed
 * key must not look like a success with 0 rows; and what is found must be a list.
 */
export function selectRecords({ records: where, optional = false }: Where, body: unknown): readonly unknown[] {
  const found = typeof where === 'function' ? called(where, body) : where === '' ? body : walked(where, body, optional)
  if (Array.isArray(found)) return found
  if (found === null || (found === undefined && optional)) return []
  const name =
    typeof where === 'function' ? 'the function given to .records()' : where === '' ? 'the body' : `'${where}'`
  if (found === undefined)
    throw new DecodeError(
      `${name} found no records: answer null or [] for a page without any, or say { optional: true }`,
    )
  throw new DecodeError(
    `${name} holds ${kindOf(found)} where a list of records was expected${where === '' ? hint(found) : ''}`,
  )
}

function called(where: Extract<Where['records'], (body: never) => unknown>, body: unknown): unknown {
  try {
    return where(body as never)
  } catch (cause) {
    throw new DecodeError(`the function given to .records() failed: ${messageOf(cause)}`, { cause })
  }
}

/** A dot goes one step down; a name that contains dots itself is found if it comes last. */
function walked(path: string, body: unknown, optional: boolean): unknown {
  let value = body
  for (let rest = path; ;) {
    if (value === null) return null
    const way = path.slice(0, path.length - rest.length).replace(/\.$/, '')
    if (typeof value !== 'object' || Array.isArray(value))
      throw new DecodeError(
        `'${path}': ${way === '' ? 'the body' : `'${way}'`} holds ${kindOf(value)}, so nothing stands at '${rest}'`,
      )
    const members = value as Readonly<Record<string, unknown>>
    if (Object.hasOwn(members, rest)) return members[rest]
    const dot = rest.indexOf('.')
    const name = dot < 0 ? rest : rest.slice(0, dot)
    if (dot < 0 || !Object.hasOwn(members, name)) {
      if (optional) return null
      throw new DecodeError(
        `'${path}': ${way === '' ? 'the body' : `'${way}'`} has no '${name}', only ${keysOf(members)}; where it may be missing, say { optional: true }`,
      )
    }
    value = members[name]
    rest = rest.slice(dot + 1)
  }
}

const hint = (found: unknown): string =>
  typeof found === 'object' && found !== null ? `: give the path to it; there are ${keysOf(found)}` : ''

function keysOf(value: object): string {
  const names = Object.keys(value)
  return names.length === 0 ? 'nothing' : names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '')
}
