// Records that are made of a body: of rows, of members, of JSON:API resources.
import { DecodeError } from '../model/errors.ts'
import { valuesAt } from '../model/path.ts'
import type { RecordsShape } from '../model/records-shape.ts'
import { UnreadableRecord } from '../model/unreadable-record.ts'
import { formatCount } from '../value/format.ts'
import { typeNameOf } from '../value/type-name.ts'

type Members = Readonly<Record<string, unknown>>
/** Returns the value at a path. Throws if a step is missing; null stays null. */
type Find = (path: string, body: unknown) => unknown

/** Returns the records that a shape makes of a body. `find` follows a path. Null is an empty page. */
export function shapeRecords(
  shape: RecordsShape,
  body: unknown,
  { find, optional }: { readonly find: Find; readonly optional: boolean },
): readonly unknown[] {
  switch (shape.type) {
    case 'rows':
      return ofRows(shape, body, find)
    case 'body':
      return body === undefined || body === null ? [] : [body]
    case 'members':
      return ofMembers(shape, body, find)
    case 'lists':
      return ofLists(shape.at, body, optional)
    case 'resources':
      return listAt(shape.at, find(shape.at, body)).map((resource) => flatResource(resource, includedIn(body)))
    case 'included':
      return [...includedIn(body).values()]
        .filter((resource) => resource['type'] === shape.of)
        .map((resource) => flatResource(resource, new Map()))
  }
}

/** A list that one element does not have is missing, as one that is renamed would be: only `optional` leaves it out. */
function ofLists(at: string, body: unknown, optional: boolean): readonly unknown[] {
  return valuesAt(body, at).flatMap((list) => {
    if (list === null || (list === undefined && optional)) return []
    if (list !== undefined) return listAt(at, list)
    throw new DecodeError(
      `fromLists(): ${quoted(at)} is missing in the body, or in an element of a list on the way. ` +
        'If it may be missing, add { optional: true }',
      { explanation: 'NO_RECORDS' },
    )
  })
}

type Rows = Extract<RecordsShape, { readonly type: 'rows' }>

function ofRows({ at, header, lists, value }: Rows, body: unknown, find: Find): readonly unknown[] {
  const rows = listAt(at, find(at, body))
  if (lists) return ofSeveralLists(rows, { at, lists, value }, body, find)
  const isFirst = header === undefined
  if (isFirst && rows.length === 0) return []
  const given = isFirst ? rows[0] : header
  const fields = fieldsOf(typeof given === 'string' ? find(given, body) : given, at)
  return (isFirst ? rows.slice(1) : rows).map((row, index) => ofRow(row, fields, { number: index + 1, value }))
}

/** Returns the records of rows that are objects of lists, each with names of its own: the lists are put together. */
function ofSeveralLists(
  rows: readonly unknown[],
  {
    at,
    lists,
    value,
  }: Pick<Rows, 'at'> & { readonly lists: NonNullable<Rows['lists']>; readonly value: string | undefined },
  body: unknown,
  find: Find,
): readonly unknown[] {
  if (rows.length === 0) return []
  const named = Object.entries(lists).map(([name, header]) => ({ name, fields: fieldsOf(find(header, body), header) }))
  const fields = unique(
    named.flatMap((list) => list.fields),
    at,
  )
  return rows.map((row, index) => {
    const number = index + 1
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      return new UnreadableRecord(`row ${number} is ${typeNameOf(row)}, not an object of lists`, {
        row: number,
        values: row,
      })
    const values = named.map((list) => ({ ...list, cells: (row as Members)[list.name] }))
    const wrong = values.find((list) => !Array.isArray(list.cells) || list.cells.length !== list.fields.length)
    if (wrong)
      return new UnreadableRecord(
        `row ${number} has ${Array.isArray(wrong.cells) ? formatCount(wrong.cells.length, 'value') : 'no list'} ` +
          `in ${wrong.name}, where ${formatCount(wrong.fields.length, 'column')} have names`,
        { row: number, values: row },
      )
    return ofRow(
      values.flatMap(({ cells }) => cells as unknown[]),
      fields,
      { number, value },
    )
  })
}

/** Returns the names of columns. */
function fieldsOf(names: unknown, at: string): readonly string[] {
  if (!Array.isArray(names)) throw new DecodeError(`the names of ${quoted(at)} are ${typeNameOf(names)}, not a list`)
  return unique(names.map(nameOf), at)
}

function unique(fields: readonly string[], at: string): readonly string[] {
  const twice = fields.find((name, index) => fields.indexOf(name) < index)
  if (twice !== undefined) throw new DecodeError(`${quoted(at)} has two columns with the name ${JSON.stringify(twice)}`)
  return fields
}

/** A name is text, or an object with a member `name`, as in the headers of many reports. */
function nameOf(name: unknown, index: number): string {
  const text = typeof name === 'object' && name !== null && 'name' in name ? name.name : name
  if (typeof text === 'string' && text.trim() !== '') return text.trim()
  return typeof text === 'number' ? String(text) : `column_${index + 1}`
}

/** A spreadsheet leaves out empty cells at the end of a row, so a short row is whole. */
function ofRow(
  row: unknown,
  fields: readonly string[],
  { number, value }: { readonly number: number; readonly value: string | undefined },
): unknown {
  if (!Array.isArray(row))
    return new UnreadableRecord(`row ${number} is ${typeNameOf(row)}, not a list`, { row: number, values: row })
  if (row.length > fields.length)
    return new UnreadableRecord(
      `row ${number} has ${formatCount(row.length, 'value')} where ${fields.length} columns have names`,
      { row: number, values: row },
    )
  const cells: unknown[] = row
  const without = value === undefined ? -1 : cells.findIndex((cell) => !hasMember(cell, value))
  if (value !== undefined && without >= 0)
    return new UnreadableRecord(`row ${number}: the cell of ${fields[without]} has no member '${value}'`, {
      row: number,
      values: row,
    })
  return Object.fromEntries(
    cells.map((cell, index) => [fields[index] ?? '', value === undefined ? cell : (cell as Members | null)?.[value]]),
  )
}

/** True for a cell with its value in a member. Null is a cell without a value. */
const hasMember = (cell: unknown, name: string): boolean =>
  cell === null || (typeof cell === 'object' && Object.hasOwn(cell, name))

function ofMembers(
  { at, key, value: valueName }: Extract<RecordsShape, { readonly type: 'members' }>,
  body: unknown,
  find: Find,
): readonly unknown[] {
  const holder = find(at, body)
  if (holder === null) return []
  if (typeof holder !== 'object' || Array.isArray(holder))
    throw new DecodeError(`${quoted(at)} holds ${typeNameOf(holder)} where an object with the records was expected`)
  return Object.entries(holder as Members).map(([name, member]) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member))
      return { [key]: name, [valueName]: member }
    const own = (member as Members)[key]
    if (own !== undefined && own !== name && JSON.stringify(own) !== name)
      return new UnreadableRecord(
        `the member ${JSON.stringify(name)} has a field ${JSON.stringify(key)} of its own; ` +
          "give the name another field, as in fromMembers('items', { key: 'name' })",
        { name, member },
      )
    return { ...member, [key]: own ?? name }
  })
}

function listAt(at: string, found: unknown): readonly unknown[] {
  if (found === null || found === undefined) return []
  if (Array.isArray(found)) return found
  throw new DecodeError(`${quoted(at)} holds ${typeNameOf(found)} where a list was expected`)
}

/** The included resources, by type and id. */
function includedIn(body: unknown): ReadonlyMap<string, Members> {
  const included = (body as { readonly included?: unknown } | null | undefined)?.included
  const resources = listAt('included', included).filter(
    (resource): resource is Members => typeof resource === 'object' && resource !== null,
  )
  return new Map(resources.map((resource) => [identity(resource), resource]))
}

const identity = ({ type, id }: Members): string => JSON.stringify([type, id])

/**
 * Returns a resource with its attributes and relationships as fields. A relationship is the included resource, or its
 * `{ type, id }`; one level deep, because resources may refer to each other in a circle.
 */
function flatResource(resource: unknown, included: ReadonlyMap<string, Members>): unknown {
  if (typeof resource !== 'object' || resource === null) return resource
  const { type, id, attributes, relationships, ...others } = resource as Members
  const related = Object.entries((relationships ?? {}) as Record<string, { readonly data?: unknown } | null>)
    .filter(([, relationship]) => relationship?.data !== undefined)
    .map(([name, relationship]) => [name, resolved(relationship?.data, included)])
  const fields = { ...(attributes as Members | undefined), ...Object.fromEntries(related) } as Members
  const { links: _links, meta: _meta, ...more } = others
  return { ...more, ...fields, type, id }
}

function resolved(data: unknown, included: ReadonlyMap<string, Members>): unknown {
  if (Array.isArray(data)) return data.map((one: unknown) => resolved(one, included))
  if (typeof data !== 'object' || data === null) return data
  const found = included.get(identity(data as Members))
  return found ? flatResource(found, new Map()) : data
}

const quoted = (at: string): string => (at === '' ? 'the body' : `'${at}'`)
