import { createHash } from 'node:crypto'
import type { Recipe, Table } from '../model/recipe.ts'

/** The part of a pipeline that decides what a run of it does. */
export interface VersionedPipeline {
  readonly name: string
  readonly streams: Readonly<Record<string, { readonly recipe: Recipe; readonly table: Table }>>
}

/**
 * Returns a hash of a pipeline's name and of all its streams with their stages and tables. A worker takes a pipeline
 * only in the version of the process that hands it out. Functions count by their text, so values that they take from
 * outside do not; neither do schemas of `validate`, schedule and alarms, or the folder of a file that a stage loads.
 */
export const pipelineVersion = ({ name, streams }: VersionedPipeline): string =>
  createHash('sha256')
    .update(
      JSON.stringify(
        [name, Object.entries(streams).map(([stream, { recipe, table }]) => [stream, recipe, table])],
        hashed,
      ),
    )
    .digest('hex')
    .slice(0, 12)

function hashed(name: string, value: unknown): unknown {
  // Libraries keep in them what they have computed, so the same schema would have another hash after its first use.
  if (name === 'schema') return undefined
  if (typeof value === 'function') return `function ${Function.prototype.toString.call(value)}`
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof RegExp) return String(value)
  // Another machine may have the same project in another folder.
  if (typeof value === 'string' && value.startsWith('file://')) return value.slice(value.lastIndexOf('/'))
  if (value instanceof Map || value instanceof Set) return [...(value as Iterable<unknown>)]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
