// Which list has the records that another list lies below? `/users/{id}/posts` lies below `/users`.
import { singular } from '../write/names.ts'
import { isValue } from './keys.ts'
import { isOne } from './find-records.ts'
import { plainName } from './paging/names.ts'
import type { Schema, Schemas } from './schema.ts'

/** What is needed of a list to be a parent. */
export interface ParentList {
  readonly path: string
  /** The schema of one record. */
  readonly record: Schema
  /** The field of its key. @default not known */
  readonly keyField?: string | undefined
}

export interface ParentFound<List extends ParentList> {
  readonly list: List
  /** The name in braces that this parent's records give a value to. */
  readonly parameter: string
  /** The field that has the value. */
  readonly field: string
  readonly isSure: boolean
}

/** The names in braces of a path. */
export const parametersIn = (path: string): string[] => [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name)

/**
 * Returns the nearest list above a path, which gives a value to the last of its parameters; undefined if the path has
 * none, or if no list has its records.
 */
export function parentOf<List extends ParentList>(
  path: string,
  lists: readonly List[],
  schemas: Schemas,
): ParentFound<List> | undefined {
  const parameter = parametersIn(path).at(-1)
  if (parameter === undefined || isOne(path)) return undefined
  const above = path.slice(0, path.lastIndexOf(`/{${parameter}}/`))
  if (above === '' || above === path) return undefined
  const list =
    lists.find((one) => sameAs(one.path) === sameAs(above)) ?? lists.find((one) => loosely(one.path) === loosely(above))
  if (!list) return undefined
  const field = fieldFor(parameter, list, schemas)
  return field && { list, parameter, ...field }
}

/** The names in braces may differ: `/users/{id}` and `/users/{userId}/posts`. */
const sameAs = (path: string): string => path.replaceAll(/\{[^{}]*\}/g, '{}').replace(/\/$/, '')
/** Some APIs have `/users` and `/user/{id}/posts`. */
const loosely = (path: string): string => sameAs(path).toLowerCase().split('/').map(singular).join('/')

function fieldFor(
  parameter: string,
  { path, record, keyField }: ParentList,
  schemas: Schemas,
): { field: string; isSure: boolean } | undefined {
  const kind = plainName(
    singular(path.split('/').findLast((segment) => segment !== '' && !segment.includes('{')) ?? ''),
  )
  const wanted = plainName(parameter)
  const named = (name: string): string | undefined =>
    [...record.properties.keys()].find((one) => plainName(one) === name && isValue(schemas.member(record, one)))
  const without = wanted.startsWith(kind) ? wanted.slice(kind.length) : ''
  const isAlways = (name: string): boolean => record.required.has(name) && !schemas.member(record, name).isNullable
  const exact = named(wanted)
  if (exact !== undefined) return { field: exact, isSure: true }
  const rest = without === '' ? undefined : named(without)
  if (rest !== undefined && isAlways(rest)) return { field: rest, isSure: true }
  // A user's name may be called login.
  const login = wanted.endsWith('name') ? (named('login') ?? named('username') ?? rest) : rest
  if (login !== undefined) return { field: login, isSure: false }
  if (keyField === undefined) return undefined
  // `{user}` is the key of a user; `{id}` and `{userId}` are so, whatever the name of the key.
  if (wanted === kind || wanted === 'id' || without === 'id') return { field: keyField, isSure: true }
  return /id$|^key$|^uuid$/.test(wanted) ? { field: keyField, isSure: false } : undefined
}
