// The position of a job: its id, and the place in its results.
import { PositionLostError } from '../../model/errors.ts'
import type { Position } from '../../model/page.ts'
import { defined } from '../../value/defined.ts'
import type { FileOrder } from './file-order.ts'

/** What is known of a job. Stored as JSON in the ledger, so the names of its members must stay the same. */
export interface JobProgress {
  /** Absent while no job runs. */
  readonly id?: string
  /** When it was started, in milliseconds since 1970. */
  readonly startedAt?: number
  /** Jobs that this slice has started so far. */
  readonly starts: number
  /** Jobs that have failed in a row. */
  readonly failures: number
  /** Hash of the request that would end it, by the definition that has started it. Absent if there is none. */
  readonly cancelMark?: string
  /** The place in the results, null at their start. Absent until the first page of them is read. */
  readonly results?: Position
  /** Records of the results before this place. */
  readonly records: number
  /** A record had the field of the cursor. */
  readonly hasCursor?: true
  /** The order of the files that the results are. Absent if there is one, or if they are requests. */
  readonly files?: FileOrder
}

export const NO_JOB: JobProgress = Object.freeze({ starts: 0, failures: 0, records: 0 })

export function jobPosition({ id, startedAt, starts, failures, cancelMark, ...read }: JobProgress): Position {
  const { results, records, hasCursor, files } = read
  return {
    // The id is first: migrations/0030_given_up_jobs.sql looks for it there.
    job: { ...defined({ id, startedAt }), starts, failures, ...defined({ cancelMark }) },
    ...(results !== undefined && { results, records, ...defined({ hasCursor, files }) }),
  }
}

/** Returns what a position knows of a job. Throws if another kind of source stored it. */
export function jobAt(position: Position): JobProgress {
  if (position === null) return NO_JOB
  const { job, results, records, hasCursor, files } = position as {
    readonly job?: Partial<JobProgress>
    readonly results?: Position
    readonly records?: number
    readonly hasCursor?: true
    readonly files?: FileOrder
  }
  if (typeof job?.starts !== 'number')
    throw new PositionLostError('the stored position does not fit this definition. Restarting from the beginning')
  const { id, startedAt, starts, failures = 0, cancelMark } = job
  return {
    starts,
    failures,
    records: records ?? 0,
    ...defined({ id, startedAt, cancelMark, results, hasCursor, files }),
  }
}
