// What becomes of objects and lists inside a record.
import type { ChildList, Children, Flatten, FlattenOptions } from '../../model/nested.ts'
import type { Table, WriteMode } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'

/** The options as they are given. */
export interface GivenNested {
  readonly flatten?: Flatten
  readonly children?: Children
}

export interface NestedOf {
  /** `.into("shop.orders")`. */
  readonly place: string
  readonly write: WriteMode
  readonly key: readonly string[]
  readonly flatten: Flatten | undefined
  readonly isLeftOut: (field: string) => boolean
}

/**
 * Returns the part of a table that says what becomes of nested data, or the reason why its options cannot be meant, as
 * the end of a sentence about the table.
 */
export function nestedOptions(
  { flatten, children }: GivenNested,
  of: NestedOf,
): Pick<Table, 'flatten' | 'children'> | { readonly problem: string } {
  const problem = flattenProblems(flatten, of) ?? childrenProblem(children, 'children', of)
  if (problem !== undefined) return { problem }
  return defined({ flatten: filled(flatten), children: filled(children) })
}

/** Returns members that are given, frozen; undefined if there is none. */
function filled<Members extends object>(members: Members | undefined): Members | undefined {
  const given = Object.entries(members ?? {}).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : (Object.freeze(Object.fromEntries(given)) as Members)
}

function flattenProblems(flatten: Flatten | undefined, of: NestedOf): string | undefined {
  if (flatten === undefined) return undefined
  if (!isObject(flatten)) return `flatten names fields, as in { address: true }, not ${JSON.stringify(flatten)}`
  const prefixes = new Map<string, string>()
  for (const [field, options] of Object.entries(flatten)) {
    if (options === undefined) continue
    const problem = flattenProblem(field, options, prefixes, of)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** `above` is the number of fields in the key of the parent. */
function childrenProblem(
  children: Children | undefined,
  name: string,
  of: NestedOf,
  above: number = of.key.length,
): string | undefined {
  if (children === undefined) return undefined
  if (!isObject(children))
    return `${name} names lists, as in { lines: { key: 'line' } }, not ${JSON.stringify(children)}`
  const lists = Object.entries(children).filter((entry): entry is [string, ChildList] => entry[1] !== undefined)
  if (lists.length > 0 && of.write !== 'merge')
    return (
      `${name} stores lists beside the rows of their records, which ${of.write} does not do. ` +
      "Leave it out, or use { write: 'merge' }"
    )
  for (const [field, list] of lists) {
    const place = `${name}.${field}`
    rejectUnknownOptions(`${of.place}: ${place}`, list, CHILD_OPTIONS)
    const keys = list.key === undefined ? [] : [list.key].flat()
    const parentKeys = list.parentKey === undefined ? undefined : [list.parentKey].flat()
    if (of.key.includes(field)) return `${place}: the field belongs to the key, so it holds no list`
    if (of.flatten?.[field] !== undefined) return `${name} and flatten both name '${field}': it is a list or an object`
    if (of.isLeftOut(field)) return `columns leaves out '${field}', which ${name} names`
    if (keys.some((one) => typeof one !== 'string' || one === '') || (list.key !== undefined && keys.length === 0))
      return `${place}: a key consists of names of fields of an entry`
    if (parentKeys && parentKeys.length !== above)
      return `${place}: parentKey names ${parentKeys.length} of the ${above} fields of the parent's key`
    const twice = [...(parentKeys ?? []), ...keys].find((one, index, all) => all.indexOf(one) !== index)
    if (twice !== undefined) return `${place}: parentKey and key name '${twice}' twice`
    if (list.table !== undefined && !/^[^.\s"]+\.[^.\s"]+$/.test(list.table))
      return `${place}: name the table with its schema, as in 'shop.order_lines'`
    const inner: NestedOf = {
      ...of,
      place: `${of.place}: ${place}`,
      key: keys,
      isLeftOut: (one) => list.columns?.[one] === false,
      flatten: list.flatten,
    }
    const problem = flattenProblems(list.flatten, inner)
    if (problem !== undefined) return `${place}: ${problem}`
    const below = childrenProblem(list.children, `${place}.children`, inner, above + Math.max(keys.length, 1))
    if (below !== undefined) return below
  }
  return undefined
}

function flattenProblem(
  field: string,
  options: true | FlattenOptions,
  prefixes: Map<string, string>,
  { place, key, isLeftOut }: NestedOf,
): string | undefined {
  if (options !== true) rejectUnknownOptions(`${place}: flatten.${field}`, options, FLATTEN_OPTIONS)
  const { prefix = field, depth = 1 } = options === true ? {} : options
  if (typeof prefix !== 'string' || prefix === '')
    return `flatten.${field} has prefix ${JSON.stringify(prefix)}: it is a word, such as 'ship'`
  if (!Number.isInteger(depth) || depth < 1) return `flatten.${field} has depth ${depth}: it is a whole number from 1`
  if (key.includes(field)) return `flatten names '${field}', which belongs to the key: a key is one value`
  if (isLeftOut(field)) return `columns leaves out '${field}', which flatten names`
  const other = prefixes.get(prefix)
  if (other !== undefined) return `flatten gives '${other}' and '${field}' the same prefix, ${prefix}`
  prefixes.set(prefix, field)
  return undefined
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const FLATTEN_OPTIONS: OptionNames<FlattenOptions> = { prefix: true, depth: true }
const CHILD_OPTIONS: OptionNames<ChildList> = {
  key: true,
  table: true,
  parentKey: true,
  columns: true,
  flatten: true,
  children: true,
}
