import { parseInstant } from '../../value/instant.ts'
import type { SyncSummary, Scheduled } from '../../ledger/read/read-standing.ts'
import type { StatusFinding, StreamStatus } from './stream-status.ts'

/** Fewer records than this are no surprise to miss. */
const much = 100
/** So many readings with the same cursor are no chance. */
const still = 3
/** A cursor that is a day stands still until the next one. */
const dayStillMs = 36 * 3_600_000

type Found = Pick<StatusFinding, 'kind' | 'isFault' | 'message'>
const fault = (kind: Found['kind'], message: string): Found => ({ kind, isFault: true, message })
const notice = (kind: Found['kind'], message: string): Found => ({ kind, isFault: false, message })

export interface Known {
  /** The newest first. */
  readonly readings: readonly SyncSummary[]
  readonly failedWindows: { readonly windows: number; readonly error: string | null } | undefined
  readonly now: Date
}

/** What is to be said of a stream, the worst first. */
export function findingsOf(status: StreamStatus, { readings, failedWindows, now }: Known): StatusFinding[] {
  const { pipeline, stream } = status
  const name = `${pipeline}.${stream}`
  const done = readings.filter(({ isOpen }) => !isOpen)
  const found = [
    failure(status, name),
    overdue(status),
    silence(done),
    standstill(done, now),
    failedWindows &&
      fault(
        'windows failed',
        `${counted(failedWindows.windows, 'window')} of its backfills failed${failedWindows.error === null ? '' : `: ${failedWindows.error}`}; sluice backfill … --only failed repeats ${failedWindows.windows === 1 ? 'it' : 'them'}`,
      ),
    status.rejects > 0 &&
      notice(
        'rejects',
        `${counted(status.rejects, 'record')} could not be stored; sluice rejects list ${name} tells why`,
      ),
  ]
  return found.filter((one): one is Found => typeof one === 'object').map((one) => ({ ...one, pipeline, stream }))
}

/**
 * Returns the finding of a pipeline that has a schedule and has never run. It is a fault only if a scheduler knows the
 * pipeline: in a fresh clone nothing is wrong yet.
 */
export function neverRan(
  pipeline: string,
  streams: readonly StreamStatus[],
  isRegistered: boolean,
): StatusFinding | undefined {
  if (
    !streams.every(({ state }) => state === 'never ran') ||
    !streams.some(({ overdueSince }) => overdueSince !== undefined)
  )
    return undefined
  return {
    kind: 'never ran',
    isFault: isRegistered,
    pipeline,
    message:
      'it has a schedule and has never run: start sluice schedule, or install the output of sluice schedule --print',
  }
}

/** Of the pipeline as a whole: what a scheduler could not even begin. */
export function tickFinding({ pipeline, tick, status, run, note }: Scheduled): StatusFinding | undefined {
  if (status !== 'failed' || run !== undefined || !tick) return undefined
  return {
    kind: 'tick failed',
    isFault: true,
    pipeline,
    message: `the run of ${tick.toISOString()} could not begin${note === undefined ? '' : `: ${note}`}`,
  }
}

function failure(
  { state, lastSuccess, lastError, open, schedule, runs }: StreamStatus,
  name: string,
): Found | undefined {
  const [last] = runs
  if (state === 'never ran')
    return schedule === undefined ? notice('never ran', `it has never run; sluice run ${name} does so`) : undefined
  if (state === 'failed')
    return fault(
      'failed',
      `run ${last!.run} failed${lastError ? `: ${lastError.error}` : ''}${lastSuccess ? '' : '; it has never succeeded'}`,
    )
  if (state === 'running') return undefined
  if (!lastSuccess)
    return fault(
      'never succeeded',
      `${counted(runs.length, 'run')} began and none came to its end${lastError ? `: ${lastError.error}` : ''}; sluice runs ${name.split('.')[0]} shows them`,
    )
  if (open && !open.isHeld)
    return notice(
      'interrupted',
      `run ${open.run} was interrupted${open.error === undefined ? '' : ` (${open.error})`}; the next run goes on from there`,
    )
  return undefined
}

function overdue({ overdueSince, lastSuccess, state }: StreamStatus): Found | undefined {
  if (overdueSince === undefined) return undefined
  if (state === 'never ran')
    return fault(
      'overdue',
      `it should have been read after ${overdueSince}, and never was: look whether its scheduler runs`,
    )
  return fault(
    'overdue',
    `it should have been read after ${overdueSince}${lastSuccess ? `, and was last read to its end ${lastSuccess.at}` : ''}: look whether its scheduler runs`,
  )
}

/**
 * Nothing was read where there used to be much. A first reading of everything says nothing of how much is new each
 * time.
 */
function silence(done: readonly SyncSummary[]): Found | undefined {
  const [last] = done
  if (!last || last.read > 0) return undefined
  const alike = done.filter(({ since }) => (since === undefined) === (last.since === undefined))
  const empty = alike.findIndex(({ read }) => read > 0)
  if (empty < 0) return undefined
  const before = alike
    .slice(empty, empty + 5)
    .map(({ read }) => read)
    .toSorted((a, b) => a - b)
  const usual = before[Math.floor(before.length / 2)]!
  if (usual < (last.since === undefined ? 1 : much)) return undefined
  return fault(
    'nothing read',
    `${empty === 1 ? 'the last run' : `each of the last ${empty} runs`} read nothing, where ${usual.toLocaleString('en-US')} records were usual before: look whether the API still answers what it did`,
  )
}

/**
 * Records come and go on, and the cursor does not: they carry no value, or are all rejected, or the API does not heed
 * what it is asked.
 */
function standstill(done: readonly SyncSummary[], now: Date): Found | undefined {
  const [last] = done
  if (last?.since === undefined) return undefined
  const moved = done.findIndex(({ since, high }) => since !== last.since || (high ?? since) !== last.since)
  const same = moved < 0 ? done : done.slice(0, moved)
  if (same.length < still || same.some(({ read }) => read === 0)) return undefined
  if (isDay(last.since) && now.getTime() - same.at(-1)!.createdAt.getTime() < dayStillMs) return undefined
  const text = `the cursor has stood at ${last.since} for ${same.length === done.length ? 'at least ' : ''}${same.length} runs, which read ${range(same.map(({ read }) => read))} records each`
  if (same.slice(0, still).every(({ stored, rejected }) => stored + rejected > 0))
    return fault('cursor stands still', `${text}: look whether records still carry a cursor value`)
  // What lies at the boundary is read again each time, and rightly so.
  return same.every(({ read }) => read >= much)
    ? notice('cursor stands still', `${text}, and found nothing new: look whether the API heeds since`)
    : undefined
}

const isDay = (cursor: string): boolean => cursor.length === 10 && parseInstant(cursor) !== undefined

function range(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)].map((number) => number.toLocaleString('en-US'))
  return least === most ? least! : `${least} to ${most}`
}

const counted = (value: number, what: string): string =>
  `${value.toLocaleString('en-US')} ${value === 1 ? what : `${what}s`}`
