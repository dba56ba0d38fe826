// The records of a decoded body.
import { DecodeError } from '../model/errors.ts'
import type { HttpSource } from '../model/recipe.ts'
import { messageOf } from '../value/error.ts'
import { nearest } from '../value/nearest.ts'
import type { RecordsShape } from '../model/records-shape.ts'
import { shapeRecords } from './shape-records.ts'
import { typeNameOf } from '../value/type-name.ts'

type RecordsFunction = Extract<HttpSource['records'], (body: never) => unknown>

const NO_RECORDS = { explanation: 'NO_RECORDS' } as const
/** Names of members that a message lists at most. */
const MAX_LISTED = 20

/**
 * Returns the records. Null is an empty page. Throws if the value is not a list, or if a step of the
 * path is missing: a renamed member must not look like a success with 0 rows.
 */
export function selectRecords(
  { records: at, optional = false }: Pick<HttpSource, 'records' | 'optional'>,
  body: unknown,
): readonly unknown[] {
  if (isShape(at)) return shapeRecords(at, body, { find: (path, value) => find(path, value, optional), optional })
  const found = find(at, body, optional)
  if (Array.isArray(found)) return found
  if (found === null || (found === undefined && optional)) return []
  const name = labelOf(at)
  if (found === undefined)
    throw new DecodeError(
      `${name} found no records. Return null or [] for a page without records, or add { optional: true }`,
      NO_RECORDS,
    )
  const hint = typeof at === 'string' ? hintFor(at, body) : ''
  throw new DecodeError(`${name} holds ${typeNameOf(found)} where a list of records was expected${hint}`, NO_RECORDS)
}

/** Says where the body has lists, as the rest of a sentence; '' if it has none. */
function hintFor(at: string, body: unknown): string {
  if (at !== '')
    return meantText(at, body)
      .replace(/^(?=.)/, '. ')
      .replace(/\.? $/, '')
  if (typeof body !== 'object' || body === null) return ''
  return `. Add the path of the list; the body has ${namesIn(body)}${onlyListText(listsIn(body))}`
}

const isShape = (at: HttpSource['records']): at is RecordsShape => typeof at === 'object'

type RecordsPlace = Exclude<HttpSource['records'], RecordsShape>

function find(at: RecordsPlace, body: unknown, optional: boolean): unknown {
  if (typeof at === 'function') return callFunction(at, body)
  return at === '' ? body : walk(at, body, optional)
}

function callFunction(at: RecordsFunction, body: unknown): unknown {
  try {
    return at(body as never)
  } catch (cause) {
    throw new DecodeError(`the function given to .records() failed: ${messageOf(cause)}`, { cause })
  }
}

/** Follows a path. A dot leads one level down; a name that contains dots is found too, if it comes last. */
function walk(path: string, body: unknown, optional: boolean): unknown {
  let value = body
  for (let rest = path; ;) {
    if (value === null) return null
    const parent = path.slice(0, path.length - rest.length).replace(/\.$/, '')
    const parentName = parent === '' ? 'the body' : `'${parent}'`
    if (typeof value !== 'object' || Array.isArray(value))
      throw new DecodeError(`'${path}': ${parentName} holds ${typeNameOf(value)}, so it has no '${rest}'`, NO_RECORDS)
    const members = value as Readonly<Record<string, unknown>>
    if (Object.hasOwn(members, rest)) return members[rest]
    const [name = ''] = rest.split('.', 1)
    const isLast = name === rest
    if (isLast || !Object.hasOwn(members, name)) {
      if (optional) return null
      throw new DecodeError(
        `'${path}': ${parentName} has no '${name}'${onlyOthers(members)}. ${meantText(path, body)}` +
          'If it may be missing, add { optional: true }',
        NO_RECORDS,
      )
    }
    value = members[name]
    rest = rest.slice(name.length + 1)
  }
}

/** Shows the call for a body with one list. */
const onlyListText = ([list, ...others]: readonly string[]): string =>
  list === undefined || others.length > 0 ? '' : `. Write .records('${list}')`

/** Says which lists a body has, and which of them a misspelled path probably means. */
function meantText(path: string, body: unknown): string {
  const lists = listsIn(body)
  const near = nearest(path, lists)
  if (near !== undefined) return `Did you mean '${near}'? `
  if (lists.length === 0) return ''
  const named = lists.slice(0, MAX_LISTED).map((list) => `'${list}'`)
  return lists.length === 1 ? `The body has one list: ${named[0]}. ` : `The body has these lists: ${named.join(', ')}. `
}

/** Returns the paths of the lists in a body, up to three names deep, as `.records()` takes them. */
function listsIn(value: unknown, path = '', depth = 3): string[] {
  if (typeof value !== 'object' || value === null || depth === 0) return []
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const at = path === '' ? name : `${path}.${name}`
    return Array.isArray(member) ? [at] : listsIn(member, at, depth - 1)
  })
}

function labelOf(at: RecordsPlace): string {
  if (typeof at === 'function') return 'the function given to .records()'
  return at === '' ? 'the body' : `'${at}'`
}

function onlyOthers(members: object): string {
  return Object.keys(members).length === 0 ? ', and no other member' : `, only ${namesIn(members)}`
}

function namesIn(value: object): string {
  const names = Object.keys(value)
  if (names.length === 0) return 'no members'
  return names.slice(0, MAX_LISTED).join(', ') + (names.length > MAX_LISTED ? ', …' : '')
}
