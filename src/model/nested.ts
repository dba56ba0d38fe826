// Objects and lists inside a record, and what becomes of them.
import type { ColumnDeclaration } from './recipe.ts'

/** How the members of an object become columns of their own. */
export interface FlattenOptions {
  /** The word before the names of the members. @default the name of the field */
  readonly prefix?: string
  /** Levels of objects in objects that become columns. What lies deeper is jsonb. @default 1 */
  readonly depth?: number
}

/** Fields whose objects become columns of their own. */
export type Flatten = Readonly<Record<string, true | FlattenOptions | undefined>>

/** A list inside a record that is stored in a table of its own. */
export interface ChildList {
  /** The field or fields that identify an entry in its list. @default its place in the list, as `_index` from 0 */
  readonly key?: string | readonly string[]
  /** Schema and table. @default the name of the parent's table, with the field behind it */
  readonly table?: string
  /** Names for the fields of the parent's key, in their order. @default `orders.id`, whose column is orders_id */
  readonly parentKey?: string | readonly string[]
  readonly columns?: Readonly<Record<string, ColumnDeclaration | undefined>>
  readonly flatten?: Flatten
  /** Lists inside an entry. */
  readonly children?: Children
}

/** Lists that are stored in tables of their own, by field. */
export type Children = Readonly<Record<string, ChildList | undefined>>
