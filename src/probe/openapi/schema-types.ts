// The types of records, from their schemas.
import type { FieldType, TypeTree } from '../found.ts'
import { typeName } from '../write/names.ts'
import { textAt } from './node.ts'
import type { Kind, Schema, Schemas } from './schema.ts'

/** So many types lie at most between a record and a type that is still written out. What is deeper is unknown. */
const MAX_DISTANCE = 2
/** Objects without a name, within each other in one type. */
const MAX_DEPTH = 4
/** More values than this are text: nobody reads them. */
const MAX_VALUES = 12

const UNKNOWN: TypeTree = { kind: 'unknown' }

/** A schema of records, and the fields that each record has, whatever the schema says: those of its key. */
export interface RecordSchema {
  readonly schema: Schema
  readonly always: readonly string[]
}

/** Makes types of schemas. Those that the description names are written once, and may refer to each other. */
export class SchemaTypes {
  readonly #schemas: Schemas
  /** The types that are near enough to a record, and their names in the file. */
  readonly #named = new Map<string, { readonly schema: Schema; readonly as: string }>()
  readonly #types = new Map<string, TypeTree>()
  readonly #always = new Map<string, readonly string[]>()

  constructor(schemas: Schemas) {
    this.#schemas = schemas
  }

  /** Returns the types of records, in the same order; `types` then has those that they share and refer to. */
  ofRecords(records: readonly RecordSchema[]): TypeTree[] {
    const schemas = records.map(({ schema }) => schema)
    this.#measure(schemas)
    for (const { schema, always } of records)
      if (schema.name !== undefined)
        this.#always.set(schema.name, [...(this.#always.get(schema.name) ?? []), ...always])
    return records.map(({ schema, always }) => {
      if (schema.properties.size === 0) return { kind: 'map', of: UNKNOWN }
      return schema.name === undefined ? withAlways(this.#object(schema, 0), always) : this.#namedType(schema.name)
    })
  }

  /** The types that records refer to, by their names. */
  get types(): Readonly<Record<string, TypeTree>> {
    return Object.fromEntries([...this.#types].toSorted(([one], [other]) => (one < other ? -1 : 1)))
  }

  /** Breadth first, so that each type has its least distance, and is the same from wherever it is referred to. */
  #measure(records: readonly Schema[]): void {
    const taken = new Set<string>()
    let level: readonly Schema[] = records
    for (let distance = 0; distance <= MAX_DISTANCE; distance += 1) {
      const found = distance === 0 ? records : level.flatMap((schema) => this.#namesIn(schema, 0))
      level = found.filter(({ name }) => name === undefined || !this.#named.has(name))
      for (const schema of level) {
        if (schema.name === undefined || this.#named.has(schema.name)) continue
        // `io.k8s.api.core.v1.Pod` is a pod.
        const as = typeName(schema.name.split('.').at(-1) ?? schema.name, taken)
        taken.add(as)
        this.#named.set(schema.name, { schema, as })
      }
    }
  }

  /** Returns the objects with a name that the members of an object refer to. */
  #namesIn(schema: Schema, depth: number): Schema[] {
    if (depth > MAX_DEPTH) return []
    const inner = [...schema.properties.values(), schema.items, schema.additional].filter((one) => one !== undefined)
    return inner.flatMap((given) => {
      const one = this.#schemas.read(given)
      return one.name !== undefined && isObject(one) ? [one] : this.#namesIn(one, depth + 1)
    })
  }

  #fields(schema: Schema, depth: number): FieldType[] {
    return [...schema.properties].flatMap(([name, given]) => {
      const member = this.#schemas.read(given)
      if (member.words['writeOnly'] === true) return []
      const isOptional = !schema.required.has(name)
      return [{ name, type: this.#type(member, depth), ...(isOptional && { isOptional }) }]
    })
  }

  #type(schema: Schema, depth: number): TypeTree {
    const types = dropDuplicates(schema.kinds.flatMap((kind) => this.#ofKind(schema, kind, depth)))
    const all = types.length === 0 || types.includes(UNKNOWN) ? [UNKNOWN] : types
    if (all[0] === UNKNOWN) return UNKNOWN
    return unionOf(schema.isNullable ? [...all, { kind: 'null' }] : all)
  }

  #ofKind(schema: Schema, kind: Kind, depth: number): TypeTree[] {
    switch (kind) {
      case 'object':
        return [this.#object(schema, depth)]
      case 'array':
        return [{ kind: 'list', of: this.#type(this.#schemas.read(schema.items), depth) }]
      case 'integer':
        // A number beyond 2^53 arrives as a bigint.
        if (textAt(schema.words, 'format') === 'int64') return [{ kind: 'number' }, { kind: 'bigint' }]
        return literals(schema, 'number') ?? [{ kind: 'number' }]
      case 'number':
        return literals(schema, 'number') ?? [{ kind: 'number' }]
      case 'boolean':
        return literals(schema, 'boolean') ?? [{ kind: 'boolean' }]
      case 'string':
        return literals(schema, 'string') ?? [{ kind: 'text' }]
    }
  }

  #object(schema: Schema, depth: number): TypeTree {
    if (schema.name !== undefined) return this.#namedType(schema.name)
    if (depth >= MAX_DEPTH) return UNKNOWN
    if (schema.properties.size > 0) return { kind: 'object', fields: this.#fields(schema, depth + 1) }
    if (schema.additional === undefined) return { kind: 'map', of: UNKNOWN }
    return { kind: 'map', of: this.#type(this.#schemas.read(schema.additional), depth + 1) }
  }

  #namedType(name: string): TypeTree {
    const known = this.#named.get(name)
    if (!known) return UNKNOWN
    if (!this.#types.has(known.as)) {
      this.#types.set(known.as, UNKNOWN) // It may refer to itself.
      const { name: _, ...own } = known.schema
      this.#types.set(known.as, withAlways(this.#object(own, 0), this.#always.get(name) ?? []))
    }
    return { kind: 'named', name: known.as }
  }
}

/** A record whose key is missing is rejected, so that the others have it. */
function withAlways(type: TypeTree, always: readonly string[]): TypeTree {
  if (type.kind !== 'object' || always.length === 0) return type
  const fields = type.fields.map((field): FieldType => {
    if (!always.includes(field.name)) return field
    const { isOptional: _, ...required } = field
    return { ...required, type: notNull(field.type) }
  })
  return { kind: 'object', fields }
}

const notNull = (type: TypeTree): TypeTree =>
  type.kind === 'union' ? unionOf(type.of.filter(({ kind }) => kind !== 'null')) : type

const isObject = ({ kinds, properties, additional }: Schema): boolean =>
  kinds.includes('object') && (properties.size > 0 || additional !== undefined)

function literals({ values }: Schema, type: 'string' | 'number' | 'boolean'): TypeTree[] | undefined {
  const own = (values ?? []).filter((value) => typeof value === type)
  return own.length === 0 || own.length > MAX_VALUES ? undefined : own.map((value) => ({ kind: 'literal', value }))
}

const unionOf = (types: readonly TypeTree[]): TypeTree =>
  types.length === 1 && types[0] ? types[0] : { kind: 'union', of: types }

const dropDuplicates = (types: readonly TypeTree[]): TypeTree[] => {
  const seen = new Map(types.map((type) => [type === UNKNOWN ? '' : JSON.stringify(type), type]))
  return [...seen.values()]
}
