import type { Flow } from '../../define/flow.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { takesBound } from '../../model/bounds-in.ts'
import { UsageError } from '../../model/errors.ts'
import type { Recipe } from '../../model/recipe.ts'
import { chosenStreams } from '../chosen-streams.ts'
import { cursorKind } from '../../value/cursor-order.ts'

/** The streams that can be read in windows, and the others with the reason. */
export interface WindowableStreams {
  readonly streams: readonly string[]
  readonly skipped: ReadonlyMap<string, string>
}

/**
 * Returns the streams of a pipeline that can be read in windows. Throws if none can, so also if the requested one
 * cannot.
 */
export function windowableStreams(
  pipeline: Pipeline,
  requested: string | undefined,
  cursors: ReadonlyMap<string, string> = new Map(),
): WindowableStreams {
  const skipped = new Map<string, string>()
  const streams: string[] = []
  for (const name of chosenStreams(pipeline, requested === undefined ? undefined : [requested])) {
    const flow = pipeline.streams[name]
    const problem = flow && windowProblem(flow, cursors.get(name))
    if (problem === undefined) streams.push(name)
    else skipped.set(name, problem)
  }
  if (streams.length > 0) return { streams, skipped }
  const problems = [...skipped].map(([name, problem]) => `${pipeline.name}.${name}: ${problem}`)
  throw new UsageError(`It cannot be read in windows. ${problems.join('. ')}`)
}

/**
 * Returns the reason for which a stream cannot be read in windows of time, and the remedy; undefined if it can.
 * `cursor` is its present cursor, as the API wrote it.
 */
export function windowProblem(
  { recipe: { source, incremental, stages }, table }: Flow<unknown>,
  cursor?: string,
): string | undefined {
  if (table.write === 'replace')
    return (
      `each run replaces all of ${table.name}, so a part of it cannot be loaded. ` +
      `Choose { write: 'merge' }, with a key`
    )
  if (!incremental) {
    const parents =
      'read' in source || !stages.some(({ type }) => type === 'flatMap') ? '' : ' before .flatMap, on the parents'
    return (
      'nothing decides which of its records belong to a window. ' +
      `Add .incremental('…')${parents}, with the field that holds the time of a record's last change`
    )
  }
  const { startFrom, lookback, unit } = incremental
  if (unit !== undefined) return undefined
  const counts =
    typeof startFrom === 'number' ||
    typeof startFrom === 'bigint' ||
    (typeof lookback === 'number' && lookback !== 0) ||
    (cursor !== undefined && cursorKind(cursor) !== 'instant')
  return counts
    ? 'its cursor is not a time, and windows are ranges of time. If it counts seconds or milliseconds since 1970, ' +
        "add { unit: 's' } or { unit: 'ms' }; else choose a field that holds a time"
    : undefined
}

/**
 * Returns a warning if the request of a stream does not depend on the window, so that each window reads everything. A
 * function in the request may depend on it.
 */
export function windowWarning({ source }: Recipe): string | undefined {
  if ('read' in source) return undefined
  const { path } = source.request
  if (takesBound(source.request, 'since') || takesBound(source.request, 'until')) return undefined
  return (
    `the request to ${typeof path === 'string' ? path : 'its path'} has neither \`since\` nor \`until\`, ` +
    'so each window reads all records of the API. ' +
    'Add `since` to the request, and `until` if the API has such a parameter'
  )
}
