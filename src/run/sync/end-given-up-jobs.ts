import { isJobAwaited, takeGivenUp, type GivenUpSlice } from '../../ledger/slices/given-up-jobs.ts'
import { endGivenUpJob, runningJob } from '../../source/jobs/given-up-job.ts'
import type { SliceContext } from './slice-context.ts'

/**
 * Ends the jobs that a restart of this slice has given up, and those of slices of the stream that were closed. Both are
 * known to this run alone: it has restarted the slice, and taken the others. So each is ended at most once, and a run
 * that is killed here leaves its job to end by itself. Never throws: the stream does not depend on it.
 */
export async function endGivenUpJobs({ stream, scope, slice }: SliceContext, restarted?: GivenUpSlice): Promise<void> {
  const { database, recipe, readSignal: signal } = stream
  const hasJobs = slice.kind === 'sync' && 'api' in recipe.source && recipe.source.job?.cancel !== undefined
  try {
    const closed = hasJobs ? await takeGivenUp(database, slice, signal) : []
    for (const givenUp of [...(restarted ? [restarted] : []), ...closed]) {
      const id = runningJob(givenUp.position)
      // An API may give one job to all who ask for the same.
      if (id === undefined || (await isJobAwaited(database, id, signal))) continue
      await endGivenUpJob(recipe, { ...givenUp, isSameDefinition: givenUp.definition === slice.definition }, scope)
    }
  } catch (error) {
    if (!scope.signal.aborted) stream.warn(`a job that nobody reads any more was not ended: ${stream.problem(error)}`)
  }
}
