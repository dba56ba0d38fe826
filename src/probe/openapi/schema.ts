// One schema as the description means it: references followed, `allOf` merged, alternatives of `oneOf` joined.
import type { Description } from './description.ts'
import { isNode, listAt, type Node, nodeAt, textAt } from './node.ts'

export type Kind = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
type Value = string | number | boolean

/** One schema. Its members are not read yet, so that circles end. */
export interface Schema {
  /** Empty if nothing is stated. */
  readonly kinds: readonly Kind[]
  readonly isNullable: boolean
  /** The name that the description gives it. @default none */
  readonly name?: string
  /** The schemas of the members, as they stand in the description. */
  readonly properties: ReadonlyMap<string, unknown>
  readonly required: ReadonlySet<string>
  /** The schema of a list's items. @default not stated */
  readonly items?: unknown
  /** The schema of members whose names are data. @default none */
  readonly additional?: unknown
  /** The values that are possible. @default all */
  readonly values?: readonly Value[]
  /** Words beside the type: format, description, default, maximum … */
  readonly words: Node
}

/** `allOf` and `oneOf` within each other deeper than this say nothing more. */
const MAX_NESTED = 12
const KINDS: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean'])

const NOTHING: Schema = {
  kinds: [],
  isNullable: false,
  properties: new Map<string, unknown>(),
  required: new Set<string>(),
  words: {},
}

/** Reads schemas of one description, each once. */
export class Schemas {
  readonly #description: Description
  readonly #read = new Map<unknown, Schema>()
  /** Those that are being read. One of them within itself, by `allOf` or `oneOf`, is a circle. */
  readonly #open = new Set<unknown>()
  /** The number of circles that were cut. */
  #cuts = 0

  constructor(description: Description) {
    this.#description = description
  }

  /** Reads one schema, or a reference to one. What cannot be read is a schema that states nothing. */
  read(given: unknown, nested = 0): Schema {
    if (!isNode(given)) return NOTHING
    const known = this.#read.get(given)
    if (known) return known
    if (nested > MAX_NESTED || this.#open.has(given)) {
      this.#cuts += 1
      return NOTHING
    }
    const before = this.#cuts
    this.#open.add(given)
    const schema = this.#fresh(given, nested)
    this.#open.delete(given)
    // Within another schema, one that was cut is not whole.
    if (nested === 0 || this.#cuts === before) this.#read.set(given, schema)
    return schema
  }

  /** Returns the schema of a member; one that states nothing if there is no such member. */
  member(schema: Schema, name: string): Schema {
    return this.read(schema.properties.get(name))
  }

  #fresh(given: Node, nested: number): Schema {
    const { value, name } = this.#description.follow(given)
    if (!isNode(value)) return NOTHING
    if (value === given) return this.#whole(value, nested)
    const target = this.read(value, nested)
    const { $ref: _, ...beside } = given
    // OpenAPI 3.1 allows words beside a reference; 3.0 has them too, as a comment that the standard ignores.
    const own = Object.keys(beside).length === 0 ? target : allOf([target, ownPart(beside)])
    return { ...own, ...(name !== undefined && { name }) }
  }

  #whole(node: Node, nested: number): Schema {
    const all = listAt(node, 'allOf').map((part) => this.read(part, nested + 1))
    const choices = [...listAt(node, 'oneOf'), ...listAt(node, 'anyOf')]
    const alternatives = choices.map((part) => this.read(part, nested + 1))
    const parts = [...all, ...(alternatives.length > 0 ? [oneOf(alternatives)] : [])]
    const own = ownPart(node)
    if (parts.length === 0) return own
    const merged = allOf([...parts, own])
    // `allOf: [{ $ref }]` is how 3.0 puts a comment beside a reference: the type keeps its name.
    const [only] = parts
    const isOnly = parts.length === 1 && own.properties.size === 0 && own.required.size === 0
    const name = isOnly ? nameOf(only, alternatives) : undefined
    return { ...merged, ...(name !== undefined && { name }) }
  }
}

/** Of `oneOf: [User, null]` the name is that of the user. */
function nameOf(only: Schema | undefined, alternatives: readonly Schema[]): string | undefined {
  if (alternatives.length === 0) return only?.name
  const named = alternatives.filter(({ kinds }) => kinds.length > 0)
  return named.length === 1 ? named[0]?.name : undefined
}

/** Returns what the schema states itself. */
function ownPart(node: Node): Schema {
  const types = [node['type']].flat()
  const stated = types.filter((type): type is Kind => KINDS.has(type))
  const values = valuesOf(node)
  const properties = new Map(Object.entries(nodeAt(node, 'properties')))
  const items = node['items'] ?? listAt(node, 'prefixItems')[0]
  const additional = isNode(node['additionalProperties']) ? node['additionalProperties'] : undefined
  return {
    kinds: stated.length > 0 ? stated : impliedKinds({ properties, items, additional, values }),
    isNullable:
      types.includes('null') ||
      node['nullable'] === true ||
      node['x-nullable'] === true ||
      listAt(node, 'enum').includes(null),
    properties,
    required: new Set(listAt(node, 'required').filter((name) => typeof name === 'string')),
    ...(items !== undefined && { items }),
    ...(additional && { additional }),
    ...(values.length > 0 && { values }),
    words: node,
  }
}

const valuesOf = (node: Node): Value[] =>
  (Object.hasOwn(node, 'const') ? [node['const']] : listAt(node, 'enum')).filter(
    (value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean',
  )

function impliedKinds({
  properties,
  items,
  additional,
  values,
}: Pick<Schema, 'properties' | 'items' | 'additional'> & { values: readonly Value[] }): Kind[] {
  if (properties.size > 0 || additional !== undefined) return ['object']
  if (items !== undefined) return ['array']
  return [...new Set(values.map((value) => typeof value as 'string' | 'number' | 'boolean'))]
}

/** Returns the schema of values that fit all of the parts. */
function allOf(parts: readonly Schema[]): Schema {
  const stating = parts.filter(statesSomething)
  const properties = new Map<string, unknown>()
  for (const part of stating)
    for (const [name, given] of part.properties) {
      const before = properties.get(name)
      properties.set(name, before === undefined || before === given ? given : { allOf: [before, given] })
    }
  const withKinds = stating.filter(({ kinds }) => kinds.length > 0)
  return {
    kinds: withKinds.reduce<readonly Kind[]>((both, { kinds }) => common(both, kinds), withKinds[0]?.kinds ?? []),
    // `nullable: true` beside `allOf` means that the whole may be null, whatever the parts say.
    isNullable: (withKinds.length > 0 && withKinds.every(({ isNullable }) => isNullable)) || nullableItself(parts),
    properties,
    required: new Set(stating.flatMap(({ required }) => [...required])),
    ...lastOf(stating, 'items'),
    ...lastOf(stating, 'additional'),
    ...lastOf(stating, 'values'),
    words: Object.assign({}, ...parts.map(({ words }) => words)) as Node,
  }
}

const nullableItself = (parts: readonly Schema[]): boolean => {
  const own = parts.at(-1)
  return own !== undefined && own.isNullable && (own.kinds.length === 0 || textAt(own.words, 'type') !== undefined)
}

const common = (one: readonly Kind[], other: readonly Kind[]): readonly Kind[] => {
  const both = one.filter((kind) => other.includes(kind) || (kind === 'integer' && other.includes('number')))
  return both.length > 0 ? both : one
}

function lastOf<Name extends 'items' | 'additional' | 'values'>(
  parts: readonly Schema[],
  name: Name,
): Pick<Schema, Name> | Record<string, never> {
  const value = parts.findLast((part) => part[name] !== undefined)?.[name]
  return value === undefined ? {} : ({ [name]: value } as Pick<Schema, Name>)
}

/** Returns one schema for several alternatives: objects become one object whose uncommon members are optional. */
function oneOf(given: readonly Schema[]): Schema {
  const isNullable = given.some((part) => part.isNullable || part.words['type'] === 'null')
  // `anyOf: [{ required: [a] }, { required: [b] }]` says nothing of the type.
  const parts = given.filter(({ kinds }) => kinds.length > 0)
  const [only] = parts
  if (!only) return { ...NOTHING, isNullable }
  if (parts.length === 1) return { ...only, isNullable: isNullable || only.isNullable }
  const objects = parts.filter(({ kinds }) => kinds.includes('object'))
  const properties = new Map<string, unknown>()
  for (const name of new Set(objects.flatMap((part) => [...part.properties.keys()]))) {
    const all = [...new Set(objects.map((part) => part.properties.get(name)).filter((one) => one !== undefined))]
    properties.set(name, all.length === 1 ? all[0] : { oneOf: all })
  }
  const items = parts.map((part) => part.items).filter((one) => one !== undefined)
  const scalars = parts.every((part) => part.values !== undefined)
  const [first, ...rest] = objects
  return {
    kinds: [...new Set(parts.flatMap(({ kinds }) => kinds))],
    isNullable,
    properties,
    required: new Set([...(first?.required ?? [])].filter((name) => rest.every(({ required }) => required.has(name)))),
    ...(items.length > 0 && { items: items.length === 1 ? items[0] : { oneOf: items } }),
    ...lastOf(parts, 'additional'),
    ...(scalars && { values: [...new Set(parts.flatMap(({ values }) => values ?? []))] }),
    words: {},
  }
}

const statesSomething = ({ kinds, properties, required, items, words }: Schema): boolean =>
  kinds.length > 0 || properties.size > 0 || required.size > 0 || items !== undefined || Object.keys(words).length > 0
