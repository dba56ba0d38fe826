// Ends a job whose results nobody will read: its slice begins anew, or was closed.
import type { Position } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import { defined } from '../../value/defined.ts'
import { asChildPosition } from '../children/child-position.ts'
import { rangeOf } from '../cursor/range.ts'
import { jobAt, type JobProgress } from './job-position.ts'
import { JobRequests } from './job-requests.ts'
import { isJobSource } from './job-source.ts'

export interface GivenUpJob extends Range {
  readonly position: Position
  /** What may have changed since the job was started. @default nothing: the recipe is the one that has started it */
  readonly changed?: 'definition' | 'parents' | undefined
}

/** Returns the id, as positions hold it, of a job that may still run; undefined if the position has none. */
export const runningJob = (position: Position): string | undefined => progressIn(position)?.id

/** Names a job in messages. `id` is as positions hold it. */
export const givenUpName = (id: string): string =>
  `the job ${id.split(/[?#]/, 1)[0]}, whose results nobody reads any more,`

/**
 * Sends `cancel` of the job of a recipe: of the first one whose request is the one that the job was started with, if
 * something has changed since, as another API, or another path, may know another job by the same id. Warns of a job
 * that is not ended.
 */
export async function endGivenUpJob(
  recipes: readonly Recipe[],
  { position, since, until, changed }: GivenUpJob,
  scope: Scope,
): Promise<void> {
  const progress = progressIn(position)
  if (progress?.id === undefined) return
  const { id, cancelMark } = progress
  const warn = (text: string): void =>
    scope.emit({ type: 'warning', message: `${givenUpName(id)} ${text}`, ...defined({ stream: scope.stream }) })
  const known = recipes.flatMap(({ source, incremental }) =>
    'api' in source && isJobSource(source)
      ? [new JobRequests({ source, incremental, range: rangeOf(incremental, { since, until }), slice: {}, scope })]
      : [],
  )
  const requests =
    changed === undefined
      ? known[0]
      : known.find((one) => cancelMark !== undefined && one.cancelMark(id) === cancelMark)
  if (changed !== undefined && !requests) {
    // Without a mark it had no request to end it.
    if (cancelMark !== undefined) warn(`may still run: ${CHANGES[changed]}`)
    return
  }
  const problem = await requests?.cancel(id, scope.signal)
  if (problem !== undefined) warn(`may still run, because \`cancel\` failed: ${problem}`)
}

const CHANGES = {
  definition: 'the definition has changed, and no longer has the `cancel` that would end it',
  parents: 'its parent has changed, and no record on the page has the `cancel` that would end it',
} as const

/** A job may be that of a child, or that of the first records, behind which the children stand in a position. */
function progressIn(position: Position): JobProgress | undefined {
  if (typeof position !== 'object' || position === null) return undefined
  const inside = asChildPosition(position)
  if (inside && inside.child !== null) return progressIn(inside.child)
  // Its records are there once a child of them was read.
  if (inside) return inside.done === 0 ? progressIn(inside.at) : undefined
  if (!('job' in position)) return undefined
  const progress = jobAt(position)
  // Results are read of a job that is done.
  return progress.id === undefined || progress.results !== undefined ? undefined : progress
}
