// Objects whose members are columns of their own: `address: { city }` is the field `address.city`, and its column is
// address_city.
import { SchemaError } from '../../model/errors.ts'
import type { Flatten } from '../../model/nested.ts'
import type { Table } from '../../model/recipe.ts'
import type { Fields } from '../shape/fields.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * Returns records with the members of their objects as fields, as `flatten` of the table says. Returns the same list if
 * there is nothing to flatten.
 *
 * A value that is no object stays in its field. Where an absent field keeps the stored value, an object that is null
 * sets the columns of all its members to null, as far as the table has them.
 */
export function flatRecords(
  records: readonly unknown[],
  { name, flatten, absent }: Pick<Table, 'name' | 'flatten' | 'absent'>,
  fields: Pick<Fields, 'columns'>,
): readonly unknown[] {
  if (!flatten) return records
  const known = absent === 'keep' ? fields.columns.map(({ field }) => field) : []
  return records.map((record) => (isPlainObject(record) ? flatRecord(record, flatten, { table: name, known }) : record))
}

function flatRecord(
  record: Members,
  flatten: Flatten,
  { table, known }: { readonly table: string; readonly known: readonly string[] },
): Members {
  const flat: Record<string, unknown> = {}
  const set = (field: string, value: unknown): void => {
    // Without this, one of two values would be lost without a word.
    if (Object.hasOwn(flat, field))
      throw new SchemaError(
        `${table}: a record has the field ${JSON.stringify(field)} twice, once as a member of a flattened object. ` +
          'Rename one in the stream, or give flatten another prefix',
      )
    Object.defineProperty(flat, field, { value, enumerable: true, configurable: true, writable: true })
  }
  const add = (value: unknown, place: string, levels: number): void => {
    if (value === undefined) return
    if (levels === 0 || !isPlainObject(value)) {
      set(place, value)
      if (levels > 0) for (const field of known) if (field.startsWith(`${place}.`)) set(field, null)
      return
    }
    if (known.includes(place)) set(place, null)
    for (const [member, inner] of Object.entries(value)) add(inner, `${place}.${member}`, levels - 1)
  }
  for (const [field, value] of Object.entries(record)) {
    const options = Object.hasOwn(flatten, field) ? flatten[field] : undefined
    if (options === undefined) set(field, value)
    else {
      const { prefix = field, depth = 1 } = options === true ? {} : options
      add(value, prefix, depth)
    }
  }
  return flat
}

/** True for an object of JSON; a Date, a Decimal or bytes are values. */
export function isPlainObject(value: unknown): value is Members {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
