// Waits until a job has come to its end. Nothing is held meanwhile: no memory, no connection, no place among requests.
import { sleep as realSleep } from '../../flow/signals/sleep.ts'
import { retryAfter } from '../../http/limits/retry-after.ts'
import { DecodeError, JobError } from '../../model/errors.ts'
import type { Job } from '../../model/job.ts'
import type { Scope } from '../../model/scope.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { nameOf, problemOf, valueIn } from '../response-value.ts'
import { isGone, type JobRequests, type JobResponse } from './job-requests.ts'

export type JobEnd =
  | { readonly type: 'done' | 'empty' | 'failed'; readonly response: JobResponse; readonly state: string }
  /** Its results are gone, or the API no longer knows it. */
  | { readonly type: 'expired'; readonly reason: string; readonly isGone?: true }
  /** It runs longer than it may. */
  | { readonly type: 'late'; readonly state: string }

export interface WaitOptions {
  readonly job: Job
  readonly id: string
  /** When it was started, in milliseconds since 1970. */
  readonly startedAt: number
  /** It was started just now: the first poll waits. */
  readonly isNew: boolean
  readonly requests: Pick<JobRequests, 'poll'>
  readonly scope: Pick<Scope, 'signal' | 'now' | 'emit' | 'stream' | 'sleep'>
}

/** Each wait between two polls is this much longer than the one before. */
const GROWTH = 1.5
/** An API may know a job only some time after it has started it. */
const UNKNOWN_MS = 60_000

export async function waitForJob({ job, id, startedAt, isNew, requests, scope }: WaitOptions): Promise<JobEnd> {
  const { signal, now, emit, stream = '', sleep = realSleep } = scope
  const longest = duration(job.longest)
  const wait = async (ms: number): Promise<void> => {
    emit({ type: 'waiting', stream, for: 'job', ms })
    await sleep(ms, { signal })
  }
  const age = (): number => now().getTime() - startedAt
  let waitMs = duration(job.every)
  let isKnown = !isNew
  if (isNew) await wait(waitMs)
  for (;;) {
    const end = await pollOnce({ job, id, requests, isYoung: age() < UNKNOWN_MS })
    // Another job would not be found either.
    if (end.type === 'expired' && end.isGone && !isKnown)
      throw new JobError(
        `the API has not known the job ${id} since it was started (${end.reason}). ` +
          'Compare `poll` with its documentation',
      )
    if (end.type !== 'running') return end
    isKnown ||= end.response !== undefined
    const left = longest - age()
    if (left <= 0) return { type: 'late', state: end.state }
    const stated = end.response && retryAfter(end.response.headers, now())
    // The last wait ends with the time, so that a job that is done by then counts as done.
    await wait(Math.min(Math.max(waitMs, stated ?? 0), left))
    waitMs = Math.min(Math.round(waitMs * GROWTH), Math.max(waitMs, duration(job.maxEvery)))
  }
}

interface Running {
  readonly type: 'running'
  readonly state: string
  readonly response?: JobResponse
}

async function pollOnce({
  job,
  id,
  requests,
  isYoung,
}: Pick<WaitOptions, 'job' | 'id' | 'requests'> & { readonly isYoung: boolean }): Promise<JobEnd | Running> {
  let response: Awaited<ReturnType<JobRequests['poll']>>
  try {
    response = await requests.poll(id)
  } catch (error) {
    if (!isGone(error) || !Error.isError(error)) throw error
    return isYoung ? { type: 'running', state: 'not found' } : { type: 'expired', reason: error.message, isGone: true }
  }
  const { label } = response
  const value = job.state === undefined ? response.status : valueIn(response, job.state)
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    throw new DecodeError(`${label}: ${nameOf(job.state)} ${problemOf(value)}, where the state of the job should be`)
  const state = String(value)
  if (job.failed.includes(state)) return { type: 'failed', response, state }
  if (job.expired.includes(state)) return { type: 'expired', reason: `${label}: the job is ${state}` }
  if (job.empty.includes(state)) return { type: 'empty', response, state }
  if (job.done.includes(state)) return { type: 'done', response, state }
  return { type: 'running', state, ...defined({ response }) }
}
