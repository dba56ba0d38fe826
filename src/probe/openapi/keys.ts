// Which fields of a record are its key, and which ones say when it changed?
import { singular } from '../write/names.ts'
import type { Operation, ParameterOf } from './operations.ts'
import { plainName } from './paging/names.ts'
import { nodeOf, textAt } from './node.ts'
import type { Schema, Schemas } from './schema.ts'

export interface KeyFound {
  /** The field that identifies a record. @default none is sure: a wrong key would make one row of several records */
  readonly field?: string
  /** The field that a path may name a record by, although it may be no key. */
  readonly likely?: string
  readonly questions: readonly string[]
}

/** Names of a field that identifies a record, whatever it is. */
const SURE = ['id', '_id', 'uuid', 'guid', 'uid', 'gid', 'sid']
/** Names of a field that may identify it. */
const LIKELY = ['key', 'urn', 'hash', 'code', 'slug', 'sku', 'number', 'name']

/**
 * Finds the field that identifies a record: `id`, `uuid`, or `order_id` of an order. `addressedBy`: the name in braces
 * of the path of one record, such as `dag_id` of `/dags/{dag_id}`.
 */
export function keyOf(record: Schema, kind: string, schemas: Schemas, addressedBy?: string): KeyFound {
  const [own = kind, ...longer] = namesOf(kind)
  const names = [...record.properties.keys()].filter((name) => isValue(schemas.member(record, name)))
  const find = (wanted: readonly string[]): string[] =>
    wanted.flatMap((one) => names.filter((name) => plainName(name) === plainName(one)))
  // The longest name first: an order item has the id of its item, too.
  const ids = [...longer.toReversed(), own].flatMap((one) => [`${one}id`, `${one}uuid`, `${one}guid`])
  const sure = find([...SURE, ...ids])
  const [address] = addressedBy === undefined ? [] : find([addressedBy])
  const field = sure.find((name) => record.required.has(name)) ?? sure[0] ?? address
  if (field !== undefined) {
    // The API answers one record by it, so each has it.
    const isAddress = addressedBy !== undefined && isNameOf(addressedBy, field, [own, ...longer])
    const isRequired = isAddress || record.required.has(field)
    const question = `does each record have '${field}'? It is not required, and a record without it is rejected.`
    return { field, likely: field, questions: isRequired ? [] : [question] }
  }
  const likelyIds = names.filter((name) => /(^|[a-z_])(id|Id|ID)$/.test(name))
  const named = find([own, ...LIKELY.map((name) => own + name), ...LIKELY])
  const [likely, ...others] = [...new Set([...named, ...likelyIds])]
  const which = [likely, ...others.slice(0, 2)].filter((name) => name !== undefined).map((name) => `'${name}'`)
  return {
    ...(likely !== undefined && { likely }),
    questions: [
      `which field is the key${which.length > 0 ? `, perhaps ${which.join(' or ')}` : ''}? ` +
        'Without one, each run replaces the table.',
    ],
  }
}

/** The names of one record, the shortest first: `error` and `importerror` of `import_errors`. */
function namesOf(kind: string): string[] {
  const words = kind.split('_')
  return words.map((_, index) => plainName(singular(words.slice(words.length - 1 - index).join('_'))))
}

/** True for `{orderId}` and the field `id` of an order, for `{id}` and its field `order_id`, and for equal names. */
const isNameOf = (parameter: string, field: string, kinds: readonly string[]): boolean => {
  const [name, plain] = [plainName(parameter), plainName(field)]
  return name === plain || kinds.some((kind) => name === kind + plain || plain === kind + name)
}

export const isValue = ({ kinds }: Schema): boolean =>
  kinds.length > 0 && kinds.every((kind) => kind === 'string' || kind === 'integer' || kind === 'number')

export interface CursorFound {
  readonly field: string
  readonly parameter: string
  /** How the parameter is sent. */
  readonly as?: 'unix' | 'unix ms' | 'date'
}

const WHEN = '(at|on|time|date|datetime|utc|timestamp|stamp)?$'
const CHANGED = new RegExp(`^(last)?(updated?|modified|changed|edited|activity)${WHEN}|^systemmodstamp$`)
const CREATED = new RegExp(`^(created|inserted|posted|published|occurred|timestamp|date|time)${WHEN}`)
/** What a lower bound adds to the name of its field. */
const BEFORE = /^(filter)?(min|since|from|start|after|gte)?/
const BEHIND = new RegExp(
  '(since|after|from|min|gte?|ge|start|startdate|starttime|begin|lower|lowerbound|greaterthan|greaterthanorequal)$',
)

/**
 * Returns the field by which a list can be read on, and the parameter that asks for what changed since, if both are
 * stated and fit: `updated_at` and `updated_since`.
 */
export function cursorOf(record: Schema, operation: Operation, schemas: Schemas): CursorFound | undefined {
  const fields = timesOf(record, schemas).filter(({ plain }) => CHANGED.test(plain))
  for (const parameter of boundsOf(operation)) {
    const about = stem(plainName(parameter.name).replace(BEFORE, '').replace(BEHIND, ''))
    // A parameter `since` may be about anything; its words name the change.
    const words = about === '' && fields.length === 1 ? parameter.description : ''
    const field = fields.find(
      ({ plain }) => stem(plain) === about || new RegExp(`\\b${stem(plain)}\\b`, 'i').test(words),
    )
    const as = field && sentAs(parameter, schemas.read(parameter.schema), field)
    if (field && as !== undefined) return { field: field.name, parameter: parameter.name, ...(as !== 'time' && { as }) }
  }
  return undefined
}

/** Returns one question where something looks like a way to read only what is new, and it is not clear. */
export function cursorQuestion(record: Schema, operation: Operation, schemas: Schemas): string[] {
  const times = timesOf(record, schemas)
  const fields = [
    ...times.filter(({ plain }) => CHANGED.test(plain)),
    ...times.filter(({ plain }) => CREATED.test(plain)),
  ].map(({ name }) => `'${name}'`)
  const bounds = boundsOf(operation).map(({ name }) => `'${name}'`)
  if (bounds.length === 0) return []
  const field = fields.length > 0 ? `with .incremental(${fields.slice(0, 3).join(' or ')}) ` : ''
  return [
    `can a run read only what changed? The list has the parameter${bounds.length > 1 ? 's' : ''} ` +
      `${bounds.slice(0, 4).join(', ')}: ${field}send \`since\` there if it means changes.`,
  ]
}

/** Parameters that look like a lower bound of a time. */
const boundsOf = ({ parameters }: Operation): ParameterOf[] =>
  parameters.filter(({ name, in: place, description, schema }) => {
    const words = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/[^A-Za-z0-9]+/g, ' ')
    if (place !== 'query' || !/\b(since|after|from|min|gte?|ge|start|begin)\b/i.test(words)) return false
    if (/\b(id|cursor|token|page|starting)\b/i.test(words)) return false
    // What it is about stands nowhere, so it is a question, unless it is about ids.
    if (/^\W*since$/i.test(words.trim())) return !/\bids?\b/i.test(description)
    const type = `${textAt(nodeOf(schema), 'format') ?? ''} ${description}`
    return /updat|modif|chang|creat|date|time/i.test(words) || (/since/i.test(words) && /date|time/i.test(type))
  })

function timesOf(record: Schema, schemas: Schemas): { name: string; plain: string; schema: Schema }[] {
  return [...record.properties.keys()]
    .map((name) => ({ name, plain: plainName(name), schema: schemas.member(record, name) }))
    .filter(({ plain, schema }) => isValue(schema) && (CHANGED.test(plain) || CREATED.test(plain)))
}

/** `updatedat` and `lastupdated` are about the same as `updated`. */
const stem = (name: string): string =>
  name
    .replace(/^last/, '')
    .replace(/(at|on|time|date|datetime|utc|timestamp|stamp)$/, '')
    .replace(/^update$/, 'updated')
    .replace(/^modify$/, 'modified')

/** Returns how a time is sent, undefined if it is not sure. */
function sentAs(
  { name }: ParameterOf,
  parameter: Schema,
  field: { readonly plain: string; readonly schema: Schema },
): 'time' | 'date' | undefined {
  const { kinds, words } = field.schema
  // A number is sent as it is, if the parameter is the bound of this very field, and includes it.
  const isOwnBound = plainName(name).replace(/^min|^gte|gte$/, '') === field.plain && plainName(name) !== field.plain
  if (isOwnBound && isInteger(kinds) && isInteger(parameter.kinds)) return 'time'
  if (!kinds.includes('string') || textAt(words, 'format') !== 'date-time') return undefined
  const format = textAt(parameter.words, 'format')
  if (format === 'date-time') return 'time'
  if (format === 'date') return 'date'
  return undefined
}

const isInteger = (kinds: readonly string[]): boolean => kinds.length > 0 && kinds.every((kind) => kind === 'integer')
