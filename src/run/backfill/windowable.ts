import type { Flow } from '../../define/flow.ts'
import { cursorKind } from '../../value/cursor-order.ts'
import type { Given, Query, Sent } from '../../model/request.ts'

/**
 * Why a stream cannot be read in windows of time, and what would be needed; undefined where it can. `cursor` is where
 * it stands, in the API's own text.
 */
export function windowFault(
  { recipe: { source, incremental, stages }, table }: Flow<unknown>,
  cursor?: string,
): string | undefined {
  if (table.write === 'replace')
    return `${table.name} is replaced as a whole by each run, so a part of it cannot be loaded: choose { write: 'merge' }, with a key`
  if (!incremental) {
    const parents =
      'read' in source || !stages.some(({ type }) => type === 'flatMap') ? '' : ' before .flatMap, on the parents'
    return `nothing says which of its records belong to a window: add .incremental('…')${parents}, with the field that says when a record changed`
  }
  const { startFrom, lookback, unit } = incremental
  if (unit !== undefined) return undefined
  const counts =
    typeof startFrom === 'number' ||
    typeof startFrom === 'bigint' ||
    typeof lookback === 'number' ||
    (cursor !== undefined && cursorKind(cursor) !== 'instant')
  return counts
    ? "its cursor is no time, and a window is one: where the number counts since 1970, say { unit: 's' } or { unit: 'ms' }; else take a field that holds a time"
    : undefined
}

/**
 * What each window would read, where its request does not say which one it is; undefined where it does, or a function
 * of the user's may.
 */
export function windowWarning({ recipe: { source } }: Flow<unknown>): string | undefined {
  if ('read' in source) return undefined
  const { query, json, path } = source.request
  const says = [query, json].some((given) => mentions(given))
  return says
    ? undefined
    : `the request to ${typeof path === 'string' ? path : 'its path'} names neither since nor until, so each window reads all that the API has: put since, and where the API takes it until, into the request`
}

const mentions = (given: Given<Query> | Given<Sent> | undefined): boolean =>
  typeof given === 'function' ||
  Object.values(given ?? {}).some(
    (value: unknown) => typeof value === 'object' && value !== null && Object.hasOwn(value, 'bound'),
  )
