import { UsageError } from '../../model/errors.ts'
import { defined } from '../../value/defined.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import type { RecordsShape } from '../../model/records-shape.ts'

declare const made: unique symbol
/** Records of type `T` that are made of a body, for `.records()`. */
export type RecordsFrom<T> = RecordsShape & { readonly [made]?: T }

/** The values of a row, by the names of its columns. */
export type RowRecord = Readonly<Record<string, unknown>>

/**
 * Rows of values, as spreadsheets and reports answer: the first row, or a list elsewhere in the body, has the names.
 *
 * @example
 * api.get<{ values: unknown[][] }>('/sheet').pages(onePage()).records(fromRows('values'))
 * api.get<Report>('/report').pages(onePage()).records(fromRows('rows', { header: 'columns' }))
 * api.post<Report>('/run').pages(onePage()).records(
 *   fromRows('rows', { lists: { dimensions: 'dimensionHeaders', metrics: 'metricHeaders' }, value: 'value' }),
 * )
 */
export function fromRows<T = RowRecord>(
  at = '',
  options: {
    /** The path of the names in the body, or the names themselves. @default the first row */
    header?: string | readonly string[]
    /**
     * For rows that are objects of several lists: the names of these lists, each with the path of its names in the
     * body. @default a row is one list
     */
    lists?: Readonly<Record<string, string>>
    /** The member that holds the value, where each cell is an object. @default none: a cell is the value */
    value?: string
  } = {},
): RecordsFrom<T> {
  rejectUnknownOptions('fromRows()', options, ['header', 'lists', 'value'])
  const { header, lists, value } = options
  if (lists !== undefined && header !== undefined)
    throw new UsageError('fromRows(): give header or lists, not both: with lists, each of them has names of its own')
  if (lists !== undefined && (Object.keys(lists).length === 0 || !Object.values(lists).every(isName)))
    throw new UsageError(
      "fromRows(): lists names the lists of a row and where their names are, as in { values: 'names' }",
    )
  if (value !== undefined && !isName(value))
    throw new UsageError("fromRows(): value is the member of a cell that holds its value, as in 'value'")
  if (header !== undefined && (header.length === 0 || (typeof header !== 'string' && !Array.isArray(header))))
    throw new UsageError("fromRows(): header is the path of the names, or a list of them, as in ['id', 'name']")
  return Object.freeze({ type: 'rows', at: path('fromRows', at), ...defined({ header, lists, value }) })
}

/**
 * The members of an object, each with its name in the field `key`. A member that is no object stands in the field
 * `value`.
 *
 * @example
 * api.get<Rates>('/rates').pages(onePage()).records(fromMembers('rates', { key: 'currency' }))
 */
export function fromMembers<T = RowRecord>(
  at: string,
  options: {
    /** The field that holds the name. @default 'key' */
    key?: string
    /** The field that holds a value that is no object. @default 'value' */
    value?: string
  } = {},
): RecordsFrom<T> {
  rejectUnknownOptions('fromMembers()', options, { key: true, value: true })
  const { key = 'key', value = 'value' } = options
  for (const name of [key, value])
    if (typeof name !== 'string' || name === '')
      throw new UsageError('fromMembers(): key and value are names of fields')
  if (key === value) throw new UsageError('fromMembers(): key and value must be different fields')
  return Object.freeze({ type: 'members', at: path('fromMembers', at), key, value })
}

/**
 * The elements of all lists at a path that leads through other lists, in their order: an answer in batches, or a list
 * in each element of a list. Null is no records. A list that is missing in one of the elements is an error, unless
 * `.records()` has `optional`.
 *
 * @example
 * api.get<Found>('/batches').pages(onePage()).records(fromLists<Order>('batches.orders'))
 */
export function fromLists<T = RowRecord>(at: string): RecordsFrom<T> {
  if (typeof at !== 'string' || at === '')
    throw new UsageError("fromLists(): give the path of the lists, as in fromLists('batches.orders')")
  return Object.freeze({ type: 'lists', at })
}

/**
 * The resources of a JSON:API document as flat records: `type`, `id`, the attributes, and for each relationship the
 * resource in `included`, or its `{ type, id }`.
 *
 * @example
 * api.get<Document>('/articles', { include: 'author' }).pages(byNextUrl('links.next')).records(fromResources())
 */
export const fromResources = <T = RowRecord>(at = 'data'): RecordsFrom<T> =>
  Object.freeze({ type: 'resources', at: path('fromResources', at) })

/**
 * The resources of one type in `included` of a JSON:API document, as a stream of their own.
 *
 * @example
 * api.get<Document>('/articles', { include: 'author' }).pages(byNextUrl('links.next')).records(fromIncluded('people'))
 */
export function fromIncluded<T = RowRecord>(type: string): RecordsFrom<T> {
  if (typeof type !== 'string' || type === '')
    throw new UsageError("fromIncluded(): give the type of the resources, as in fromIncluded('people')")
  return Object.freeze({ type: 'included', of: type })
}

const isName = (name: unknown): boolean => typeof name === 'string' && name !== ''

function path(word: string, at: string): string {
  if (typeof at === 'string') return at
  throw new UsageError(`${word}(): give the path in the body, such as 'values'`)
}
