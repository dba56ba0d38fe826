// How sure it is that all results of a job were read.
import { COUNTED, ENDED, openBecause, worstOf, type Completeness } from '../../model/completeness.ts'
import { PagingError } from '../../model/errors.ts'
import type { Job } from '../../model/job.ts'
import { formatCount, formatNumber } from '../../value/format.ts'
import { nameOf, problemOf, valueIn } from '../response-value.ts'
import type { JobResponse } from './job-requests.ts'

/** Returns the number of records that a job states. Throws if its place holds none, unless the job has no results. */
export function statedCount(
  { count }: Pick<Job, 'count'>,
  response: JobResponse,
  { hasResults }: { readonly hasResults: boolean },
): number | undefined {
  if (count === undefined) return undefined
  const value = valueIn(response, count)
  if (!hasResults && (value === undefined || value === null)) return undefined
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new PagingError(
    `${nameOf(count)} ${problemOf(value)}, where the number of the job's records should be. ` +
      'Correct or remove `count`',
  )
}

export interface ReadResults {
  /** The job and its number of records, if it states one. */
  readonly label: string
  readonly place: Job['count']
  readonly count: number | undefined
  /** Records that were read. */
  readonly records: number
  /** Different keys of them, if that is known. */
  readonly keys: number | undefined
}

/** Joins what the results say themselves with the number that the job states. */
export function gradeOfResults(
  { label, place, count, records, keys }: ReadResults,
  ofResults: Completeness | undefined,
): Completeness | undefined {
  if (count === undefined) return ofResults
  if (records < count)
    return worstOf(
      ofResults,
      openBecause(
        `${label}: ${formatCount(records, 'record')} came, but ${nameOf(place)} states ${formatNumber(count)}. ` +
          'The results were not complete, or the number counts something else: then remove `count`',
      ),
    )
  const isCounted = records === count && keys === count
  return isCounted && ofResults?.grade === 'ended' ? COUNTED : ofResults
}

/** The grade of a job without results: nothing was there to read. */
export const gradeOfNone = (results: ReadResults): Completeness | undefined =>
  gradeOfResults({ ...results, records: 0, keys: 0 }, ENDED)
