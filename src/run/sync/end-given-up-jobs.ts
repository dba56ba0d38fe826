import { isJobAwaited, takeGivenUp, type GivenUpSlice } from '../../ledger/slices/given-up-jobs.ts'
import type { Range } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import type { GivenUpReading } from '../../model/slice.ts'
import { findJob, type JobPlace } from '../../read/find-job.ts'
import { endGivenUpJob, givenUpName, runningJob } from '../../source/jobs/given-up-job.ts'
import type { SliceContext } from './slice-context.ts'

/** The parents of a job must be read again within this time. */
const MAX_FIND_MS = 30_000

/**
 * Ends the jobs that a restart of this slice has given up, and those of slices of the stream that were closed. Both are
 * known to this run alone: it has restarted the slice, and taken the others. So each is ended at most once, and a run
 * that is killed here leaves its job to end by itself. Never throws: the stream does not depend on it.
 */
export async function endGivenUpJobs(context: SliceContext, restarted?: GivenUpSlice): Promise<void> {
  const { stream, scope, slice } = context
  const { database, recipe, readSignal: signal } = stream
  const hasOwn = 'api' in recipe.source && recipe.source.job?.cancel !== undefined
  // The jobs of children are known only by the positions.
  const mayHaveJobs = slice.kind === 'sync' && (hasOwn || recipe.stages.some(({ type }) => type === 'flatMap'))
  try {
    const closed = mayHaveJobs ? await takeGivenUp(database, slice, signal) : []
    for (const { position, definition, since, until } of [...(restarted ? [restarted] : []), ...closed]) {
      const isChanged = definition !== slice.definition
      const place = { recipes: [recipe], position, haveParentsChanged: false }
      await endJob(context, place, { range: { since, until }, isChanged, signal })
    }
  } catch (error) {
    if (!scope.signal.aborted) stream.warn(notEnded(stream.problem(error)))
  }
}

/** Ends the jobs of children that a reading gives up. Disposing it waits until they have ended. */
export class GivenUpChildren implements AsyncDisposable {
  readonly #context: SliceContext
  readonly #ending = new Set<Promise<void>>()
  #isClosed = false

  constructor(context: SliceContext) {
    this.#context = context
  }

  /** Never rejects. A run that is stopped has some time for it. */
  readonly end = async (reading: GivenUpReading): Promise<void> => {
    if (this.#isClosed) return
    const ending = this.#end(reading)
    this.#ending.add(ending)
    await ending
    this.#ending.delete(ending)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#ending)
  }

  async #end(reading: GivenUpReading): Promise<void> {
    const { stream, slice } = this.#context
    const { since, until, id } = slice
    const signal = stream.writeSignal
    try {
      await endJob(
        this.#context,
        { ...reading, areChildren: true },
        { range: { since, until }, isChanged: false, except: reading.isStored ? id : undefined, signal },
      )
    } catch (error) {
      if (!signal.aborted) stream.warn(notEnded(stream.problem(error)))
    }
  }
}

const notEnded = (problem: string): string => `a job that nobody reads any more was not ended: ${problem}`

interface EndOptions {
  /** Of the slice that the job was started for. */
  readonly range: Range
  readonly isChanged: boolean
  /** The slice that waits for the job by its position, until its next commit. @default none */
  readonly except?: string | undefined
  readonly signal: AbortSignal
}

async function endJob(
  { stream, ...context }: SliceContext,
  place: JobPlace,
  { range, isChanged, except, signal }: EndOptions,
): Promise<void> {
  const id = runningJob(place.position)
  // An API may give one job to all who ask for the same.
  if (id === undefined || (await isJobAwaited(stream.database, id, { except, signal }))) return
  const scope: Scope = { ...context.scope, signal }
  let found: JobPlace
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(MAX_FIND_MS)])
    found = await findJob(place, range, { ...scope, signal: limited })
  } catch (error) {
    signal.throwIfAborted()
    stream.warn(
      `${givenUpName(id)} may still run, because its parent could not be read again: ${stream.problem(error)}`,
    )
    return
  }
  const { recipes, position, haveParentsChanged } = found
  const changed = haveParentsChanged ? 'parents' : undefined
  await endGivenUpJob(recipes, { ...range, position, changed: isChanged ? 'definition' : changed }, scope)
}
