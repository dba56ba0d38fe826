// What a child takes from its parent's record: the values of its path, and the fields that say whose child it is.
import type { FoundParent } from '../found.ts'
import { singular } from '../write/names.ts'
import { isValue } from './keys.ts'
import { snake } from './names.ts'
import { parametersIn } from './parents.ts'
import { plainName } from './paging/names.ts'
import type { Schema, Schemas } from './schema.ts'

/** A stream that has children. */
export interface Above {
  readonly name: string
  readonly path: string
  /** The fields of its record that have the values of its own path. */
  readonly pathFields: Readonly<Record<string, string>>
}

export interface Below {
  readonly parent: FoundParent
  /** As those of `Above`, of the child. */
  readonly pathFields: Readonly<Record<string, string>>
}

/** The list whose path lies below the parent's, and what the parent's record gives to it. */
export interface Child {
  readonly path: string
  readonly record: Schema
  /** The last name in braces, and the field of the parent's record that has its value. */
  readonly parameter: string
  readonly field: string
}

/** Connects a child with its parent. Names in braces before the parent's own are those of the parent's path. */
export function belowParent(child: Child, above: Above, schemas: Schemas): Below {
  const inherited = parametersIn(above.path)
  const parameters: Record<string, string> = {}
  const keeps: Record<string, string> = {}
  const pathFields: Record<string, string> = {}
  for (const [index, name] of parametersIn(child.path).entries()) {
    const isOwn = name === child.parameter
    const field = isOwn ? child.field : (above.pathFields[inherited[index] ?? ''] ?? name)
    parameters[name] = field
    const wanted = isOwn ? nameBelow(above.name, field) : field
    const own = ownField(child.record, wanted, schemas)
    const kept = own ?? freeName(child.record, wanted)
    pathFields[name] = kept
    if (own === undefined) keeps[kept] = field
  }
  return { parent: { stream: above.name, parameters, keeps }, pathFields }
}

/** `id` of users becomes `user_id`; `user_name` stays what it is. */
function nameBelow(parent: string, field: string): string {
  const kind = singular(parent)
  return plainName(field).startsWith(plainName(kind)) ? snake(field) : snake(`${kind}_${field}`)
}

/** A required field such as `user_id` of a user's post has the value already. */
function ownField(record: Schema, wanted: string, schemas: Schemas): string | undefined {
  const same = [...record.properties.keys()].find((name) => plainName(name) === plainName(wanted))
  const isSame = same !== undefined && record.required.has(same) && isValue(schemas.member(record, same))
  return isSame ? same : undefined
}

/** A field that is there may mean something else, so it is not written over. */
function freeName(record: Schema, wanted: string): string {
  const names = [...record.properties.keys()]
  const isTaken = names.some((name) => plainName(name) === plainName(wanted))
  const name = isTaken ? `parent_${wanted}` : wanted
  const isCamel = names.some((one) => /[a-z][A-Z]/.test(one)) && !names.some((one) => one.includes('_'))
  return isCamel ? name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name
}
