// Ends a job whose results nobody will read: its slice begins anew, or was closed.
import type { Position } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import { defined } from '../../value/defined.ts'
import { rangeOf } from '../cursor/range.ts'
import { jobAt, type JobProgress } from './job-position.ts'
import { JobRequests } from './job-requests.ts'
import { isJobSource } from './job-source.ts'

export interface GivenUpJob extends Range {
  readonly position: Position
  /** The definition is the one that started the job. */
  readonly isSameDefinition: boolean
}

/** Returns the id, as positions hold it, of a job that may still run; undefined if the position has none. */
export const runningJob = (position: Position): string | undefined => progressIn(position)?.id

/**
 * Sends `cancel` of the recipe's job. With another definition only if its request is the one that the job was started
 * with: another API, or another path, may know another job by the same id. Warns of a job that is not ended.
 */
export async function endGivenUpJob(
  { source, incremental }: Recipe,
  { position, since, until, isSameDefinition }: GivenUpJob,
  scope: Scope,
): Promise<void> {
  const progress = progressIn(position)
  if (progress?.id === undefined) return
  const { id, cancelMark } = progress
  const warn = (text: string): void =>
    scope.emit({
      type: 'warning',
      message: `the job ${id.split(/[?#]/, 1)[0]}, whose results nobody reads any more, ${text}`,
      ...defined({ stream: scope.stream }),
    })
  const requests =
    'api' in source && isJobSource(source)
      ? new JobRequests({ source, incremental, range: rangeOf(incremental, { since, until }), slice: {}, scope })
      : undefined
  if (!isSameDefinition && (cancelMark === undefined || requests?.cancelMark(id) !== cancelMark)) {
    // Without a mark it had no request to end it.
    if (cancelMark !== undefined)
      warn('may still run: the definition has changed, and no longer has the `cancel` that would end it')
    return
  }
  const problem = await requests?.cancel(id, scope.signal)
  if (problem !== undefined) warn(`may still run, because \`cancel\` failed: ${problem}`)
}

/** Children of a job's records stand behind it in a position, which holds that of the job in `at`. */
function progressIn(position: Position): JobProgress | undefined {
  if (typeof position !== 'object' || position === null) return undefined
  if ('at' in position && 'child' in position) return progressIn(position['at'] as Position)
  if (!('job' in position)) return undefined
  const progress = jobAt(position)
  // Results are read of a job that is done.
  return progress.id === undefined || progress.results !== undefined ? undefined : progress
}
