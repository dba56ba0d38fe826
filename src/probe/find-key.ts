// Which fields identify a record: those whose values are all different.
import { instantLayout } from '../value/instant.ts'
import { formatCount } from '../value/format.ts'
import { isObject } from './find-records.ts'

export interface FoundKey {
  readonly key: readonly string[]
  /** What is unsure about it. */
  readonly questions: readonly string[]
}

/** A key of more fields is none that a person would choose. */
const MAX_TEXT = 200
/** With fewer records, different values prove little. */
const FEW = 5

/** Returns the key of the records: a field with the name of an id, else two such fields, else any unique field. */
export function findKey(records: readonly unknown[], stream: string): FoundKey {
  const objects = records.filter(isObject)
  const fields = Object.keys(objects[0] ?? {}).filter((field) => objects.every((one) => isKeyValue(one[field])))
  const ranked = fields
    .map((field) => ({ field, rank: rankOf(field, stream) }))
    .toSorted((one, other) => one.rank - other.rank)
  const isUnique = (...names: string[]): boolean =>
    new Set(objects.map((one) => JSON.stringify(names.map((name) => String(one[name]))))).size === objects.length
  const few =
    objects.length < FEW
      ? [`Only ${formatCount(objects.length, 'record was', 'records were')} seen: is this key right?`]
      : []
  const single = ranked.find(({ field, rank }) => rank < OTHER && isUnique(field))
  if (single)
    return { key: [single.field], questions: single.rank < SURE ? few : [doubt(single.field, objects.length)] }
  const ids = ranked.filter(({ rank }) => rank < OTHER)
  for (const [index, one] of ids.entries())
    for (const other of ids.slice(index + 1))
      if (isUnique(one.field, other.field)) {
        const key = [one.field, other.field]
        return { key, questions: [`The key was taken from ${objects.length} records: is it ${key.join(' and ')}?`] }
      }
  const any = ranked.find(({ field, rank }) => rank >= OTHER && isUnique(field) && !isTimeOrAmount(objects, field))
  if (any)
    return {
      key: [any.field],
      questions: [doubt(any.field, objects.length)],
    }
  const question =
    'No field identifies a record, so each run replaces the whole table. If some fields do, name them in `key`, and ' +
    'remove `write`.'
  return { key: [], questions: [question] }
}

/** Below, a name is that of an id. From `OTHER` on it says nothing of one. */
const SURE = 5
const OTHER = 10

const doubt = (field: string, count: number): string =>
  `'${field}' was different in ${count} records. Does it identify a record for ever? Of two records with one value, ` +
  'one would be stored.'

function rankOf(field: string, stream: string): number {
  const name = field.toLowerCase().replaceAll(/[_-]/g, '')
  const own = stream.toLowerCase().replaceAll(/[_-]/g, '')
  const exact = ['id', '@id', 'uuid', 'guid', 'key', 'number', 'code', 'slug', 'sku'].indexOf(name)
  if (exact >= 0 && exact < 4) return exact
  if (name.endsWith('id') && own.startsWith(name.slice(0, -2)) && name.length > 3) return 4
  if (exact >= 4) return exact + 1
  return /(id|uuid|guid|key|code|number|no)$/i.test(field) ? 9 : OTHER
}

const isKeyValue = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT) ||
  (typeof value === 'number' && Number.isSafeInteger(value)) ||
  typeof value === 'bigint'

/** Times, sums and long texts may be unique by chance. */
const isTimeOrAmount = (objects: readonly Readonly<Record<string, unknown>>[], field: string): boolean =>
  objects.every((one) => {
    const value = one[field]
    return typeof value === 'number' || (typeof value === 'string' && (value.length > 80 || instantLayout(value)))
  })
