// Which lists become streams?
import { UsageError } from '../../model/errors.ts'
import type { FoundAuth } from '../found.ts'
import { keyOf, type KeyFound } from './keys.ts'
import { hasOwnServer, type LeftOut, type ListOperation } from './lists.ts'
import { parametersIn, parentOf } from './parents.ts'
import { requestOf, type Given, type RequestFound } from './requests.ts'
import type { Schemas } from './schema.ts'

export interface Choice {
  /** Names of streams, or paths. @default all that can be read */
  readonly only?: readonly string[]
  /** Values of parameters that no list of the description has. */
  readonly given: Given
  /** Sent with each request, whatever the description wants. @default as the description says */
  readonly auth?: readonly FoundAuth[]
  /** By their names in small letters. @default those that the description requires */
  readonly headers?: Readonly<Record<string, string>>
}

/** A list that becomes a stream. */
export interface Selected {
  readonly list: ListOperation
  readonly key: KeyFound
  readonly request: RequestFound
  readonly parent?: ParentOf
}

interface ParentOf {
  readonly of: Selected
  /** The name in braces that a record of the parent gives a value to, and the field that has it. */
  readonly parameter: string
  readonly field: string
  readonly isSure: boolean
}

/** Chooses the lists that can be read; a parent stands before its children. */
export function select(
  lists: readonly ListOperation[],
  choice: Choice,
  { schemas, isSwagger }: { readonly schemas: Schemas; readonly isSwagger: boolean },
): { selected: Selected[]; leftOut: LeftOut[] } {
  const isSent = sentBy(choice)
  const known = lists.map((list) => ({
    list,
    path: list.operation.path,
    record: list.record,
    key: keyOf(list.record, list.name, schemas, list.addressedBy),
  }))
  const parents = known.map((one) => ({ ...one, keyField: one.key.likely }))
  const states = new Map<string, Selected | string>()
  const stateOf = (path: string): Selected | string => {
    const before = states.get(path)
    if (before !== undefined) return before
    const one = parents.find((other) => other.path === path)
    if (!one) return 'an unknown path'
    states.set(path, 'a path that lies below itself')
    const state = stateOfOne(one)
    states.set(path, state)
    return state
  }
  const stateOfOne = ({ list, path, key }: (typeof parents)[number]): Selected | string => {
    if (hasOwnServer(list.operation)) return 'on another server than the rest of the API'
    const request = requestOf(list.operation, choice.given, schemas, { isSwagger, isSent })
    const open = parametersIn(path).filter((name) => !choice.given.has(name))
    const { missing } = request
    if (open.length === 0) return missing.length > 0 ? needs(missing) : { list, key, request }
    const parent = parentOf(filledPath(path, choice.given), parents.map(filled(choice.given)), schemas)
    const above = parent && stateOf(parent.list.original)
    // What the parent needs is what is missing.
    if (!parent || typeof above !== 'object')
      return needs([...(typeof above === 'string' && above.startsWith(NEEDS) ? neededIn(above) : open), ...missing])
    if (missing.length > 0) return needs(missing)
    const { parameter, field, isSure } = parent
    return { list, key, request, parent: { of: above, parameter, field, isSure } }
  }
  for (const { path } of parents) stateOf(path)
  return chosen(parents, states, choice)
}

/** Returns whether the credentials and headers that were given have a parameter's value. */
function sentBy({ auth = [], headers = {} }: Choice): (parameter: { in: string; name: string }) => boolean {
  const names = new Set([
    ...Object.keys(headers).map((name) => `header ${name}`),
    ...auth.flatMap((one) => ('name' in one ? [`${one.type} ${one.name.toLowerCase()}`] : [])),
  ])
  return ({ in: place, name }) => names.has(`${place} ${name.toLowerCase()}`)
}

/** A path with the values that were given. */
export const filledPath = (path: string, given: Given): string =>
  path.replaceAll(/\{([^{}]+)\}/g, (whole, name: string) => {
    const value = given.get(name)
    return value === undefined ? whole : encodeURIComponent(value)
  })

const filled =
  (given: Given) =>
  <One extends { readonly path: string }>(one: One) => {
    const path = filledPath(one.path, given)
    return { ...one, path, original: one.path }
  }

const NEEDS = 'needs values that no list has (--set)'
const needs = (names: readonly string[]): string => `${NEEDS}: ${[...new Set(names)].join(', ')}`

const neededIn = (reason: string): string[] => reason.slice(`${NEEDS}: `.length).split(', ')

/** All lists that need values have one reason; what they need stands behind their names. */
function leftOutOf({ name, operation }: ListOperation, reason: string): LeftOut {
  const { path } = operation
  if (!reason.startsWith(NEEDS)) return { operation: `GET ${path} (${name})`, reason }
  const needed = reason.slice(NEEDS.length)
  return {
    operation: `GET ${path} (${name}${needed})`,
    reason: NEEDS,
    needs: { name, path, parameters: neededIn(reason) },
  }
}

function chosen(
  all: readonly { readonly list: ListOperation; readonly path: string }[],
  states: ReadonlyMap<string, Selected | string>,
  { only }: Choice,
): { selected: Selected[]; leftOut: LeftOut[] } {
  const wanted = new Set<Selected>()
  const leftOut: { readonly list: ListOperation; readonly reason: string }[] = []
  const isNamed = (list: ListOperation): boolean =>
    only?.some((word) => word === list.name || word === list.operation.path) ?? false
  for (const { list, path } of all) {
    const state = states.get(path)
    const reason = reasonOf(list, state, only === undefined ? undefined : isNamed(list))
    if (typeof reason === 'string') leftOut.push({ list, reason })
    else for (const one of withParents(reason)) wanted.add(one)
  }
  rejectUnknown(only, all, states)
  // A parent of a chosen list is read for it.
  const lists = new Set([...wanted].map(({ list }) => list))
  return {
    selected: [...wanted].toSorted((one, other) => depth(one) - depth(other)),
    leftOut: leftOut.filter(({ list }) => !lists.has(list)).map(({ list, reason }) => leftOutOf(list, reason)),
  }
}

function reasonOf(list: ListOperation, state: Selected | string | undefined, isNamed?: boolean): Selected | string {
  if (typeof state !== 'object') return state ?? 'an unknown path'
  if (isNamed === false) return 'not chosen by --only'
  return list.operation.isDeprecated && isNamed !== true ? 'deprecated: --only reads it' : state
}

const withParents = (one: Selected): Selected[] => (one.parent ? [...withParents(one.parent.of), one] : [one])
const depth = ({ parent }: Selected): number => (parent ? depth(parent.of) + 1 : 0)

function rejectUnknown(
  only: readonly string[] | undefined,
  all: readonly { readonly list: ListOperation }[],
  states: ReadonlyMap<string, Selected | string>,
): void {
  for (const word of only ?? []) {
    const found = all.find(({ list }) => list.name === word || list.operation.path === word)
    if (!found) {
      const names = all.map(({ list }) => list.name)
      const like = names.filter((name) => name.includes(word) || word.includes(name)).slice(0, 10)
      const others = like.length > 0 ? `Similar ones: ${like.join(', ')}. ` : ''
      throw new UsageError(`--only ${word}: the description has no list of this name. ${others}--list shows all`)
    }
    const state = states.get(found.list.operation.path)
    if (typeof state === 'string') throw new UsageError(`--only ${word}: GET ${found.list.operation.path} ${state}`)
  }
}
