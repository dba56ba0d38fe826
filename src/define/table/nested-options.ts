// What becomes of objects and lists inside a record.
import type { Flatten, FlattenOptions, Table } from '../../model/recipe.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'

/** The options as they are given. */
export interface GivenNested {
  readonly flatten?: Flatten
}

export interface NestedOf {
  /** `.into("shop.orders")`. */
  readonly place: string
  readonly key: readonly string[]
  readonly isLeftOut: (field: string) => boolean
}

/**
 * Returns the part of a table that says what becomes of nested data, or the reason why its options cannot be meant, as
 * the end of a sentence about the table.
 */
export function nestedOptions(
  { flatten }: GivenNested,
  of: NestedOf,
): Pick<Table, 'flatten'> | { readonly problem: string } {
  if (flatten === undefined) return {}
  if (!isObject(flatten))
    return { problem: `flatten names fields, as in { address: true }, not ${JSON.stringify(flatten)}` }
  const prefixes = new Map<string, string>()
  for (const [field, options] of Object.entries(flatten)) {
    if (options === undefined) continue
    const problem = flattenProblem(field, options, prefixes, of)
    if (problem !== undefined) return { problem }
  }
  return Object.keys(flatten).length === 0 ? {} : { flatten: Object.freeze({ ...flatten }) }
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
