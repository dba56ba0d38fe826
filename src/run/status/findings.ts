import { formatCount, formatNumber } from '../../value/format.ts'
import { parseInstant } from '../../value/instant.ts'
import type { OpenReadings } from '../../ledger/read/read-open-readings.ts'
import type { NotStarted, SyncSummary, Scheduled } from '../../ledger/read/read-standing.ts'
import type { SharedKey } from '../../ledger/shared-keys.ts'
import { lostFieldsText } from '../lost-fields-text.ts'
import { openReading, type OpenReadingTerms } from './open-reading.ts'
import type { StatusFinding, StreamStatus } from './stream-status.ts'

/** An incremental run that usually reads fewer records may well read none. */
const MIN_USUAL_RECORDS = 100
/** Runs with the same cursor before this is reported. */
const MIN_STILL_RUNS = 3
/** Time for which the cursor may stay if its value is a day: such a cursor moves once a day. */
const MAX_DAY_STILL_MS = 36 * 3_600_000
/** Runs from which the usual number of records is computed. */
const USUAL_RUNS = 5

type Found = Pick<StatusFinding, 'kind' | 'isFault' | 'message'>
const fault = (kind: Found['kind'], message: string): Found => ({ kind, isFault: true, message })
const notice = (kind: Found['kind'], message: string): Found => ({ kind, isFault: false, message })

export interface Known {
  /** Newest first. */
  readonly readings: readonly SyncSummary[]
  readonly failedWindows: { readonly windows: number; readonly error: string | null } | undefined
  /** Of the stream's syncs and windows: what may have missed records, and what no later reading covers. */
  readonly openReadings: readonly OpenReadings[]
  readonly openTerms: OpenReadingTerms
  /** What a reading has found of the key that the table has today. */
  readonly sharedKey: SharedKey | undefined
  /** The write mode leaves the rows of deleted records in the table. */
  readonly keepsDeleted: boolean
  readonly now: Date
}

/** Returns the findings of a stream, the most serious first. */
export function findingsOf(
  status: StreamStatus,
  { readings, failedWindows, openReadings, openTerms, sharedKey, keepsDeleted, now }: Known,
): StatusFinding[] {
  const { pipeline, stream } = status
  const name = `${pipeline}.${stream}`
  const done = readings.filter(({ isOpen }) => !isOpen)
  const found = [
    failure(status, name),
    overdue(status),
    ...openReadings.map((open) => openReading(open, status, openTerms)),
    sharedKey && keyNotUnique(sharedKey, name),
    silence(done),
    standstill(done, now),
    lostFields(done),
    failedWindows &&
      fault(
        'windows failed',
        `${formatCount(failedWindows.windows, 'window')} of its backfills failed` +
          `${because(failedWindows.error)}. To read ${failedWindows.windows === 1 ? 'it' : 'them'} again: ` +
          'sluice backfill … --only failed',
      ),
    keepsDeleted && keptAfterDeletion(status),
    rejects(status, name),
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

/** Returns the finding of a pipeline whose last tick failed before a run started. */
export function tickFinding({ pipeline, tick, status, run, note }: Scheduled): StatusFinding | undefined {
  if (status !== 'failed' || run !== undefined || !tick) return undefined
  return {
    kind: 'tick failed',
    isFault: true,
    pipeline,
    message: `the run of ${tick.toISOString()} could not start${because(note)}`,
  }
}

/** Returns the finding of a pipeline whose last run failed before it read anything, such as for a missing secret. */
export const notStartedFinding = ({ pipeline, run, error }: NotStarted): StatusFinding => ({
  kind: 'not started',
  isFault: true,
  pipeline,
  message: `run ${run} could not start${because(error ?? undefined)}`,
})

function failure(
  { state, lastSuccess, lastError, open, schedule, runs }: StreamStatus,
  name: string,
): Found | undefined {
  const [last] = runs
  if (state === 'never ran')
    return schedule === undefined ? notice('never ran', `it has never run. To run it: sluice run ${name}`) : undefined
  if (state === 'failed')
    return fault(
      'failed',
      `run ${last?.run} failed${because(lastError?.error)}${lastSuccess ? '' : '; it has never succeeded'}`,
    )
  if (state === 'running') return undefined
  if (!lastSuccess)
    return fault(
      'never succeeded',
      `${formatCount(runs.length, 'run')} started and none reached the end${because(lastError?.error)}. ` +
        `To list them: sluice runs ${name.split('.')[0]}`,
    )
  if (open && !open.isHeld)
    return notice(
      'interrupted',
      `run ${open.run} was interrupted${open.error === undefined ? '' : ` (${open.error})`}. ` +
        'The next run continues after its last commit',
    )
  return undefined
}

/** Records that wait are no fault. A run that rejected all of several records is: the cause is not in one of them. */
function rejects({ rejects, runs: [last] }: StreamStatus, name: string): Found | undefined {
  if (rejects === 0) return undefined
  const lists = `Reasons: sluice rejects list ${name}. After a mend: sluice rejects replay ${name}`
  const all = last?.status === 'done' && last.rejected >= MANY && last.rejected === last.read - last.deleted
  if (all && rejects >= last.rejected)
    return fault('rejects', `run ${last.run} stored nothing: all ${last.rejected} records were rejected. ${lists}`)
  return notice('rejects', `${formatCount(rejects, 'record')} could not be stored. ${lists}`)
}

/** Fewer records may each be at fault themselves. */
const MANY = 5

function overdue({ overdueSince, lastSuccess, state }: StreamStatus): Found | undefined {
  if (overdueSince === undefined) return undefined
  const lastRead = lastSuccess && `, and was last read to its end ${lastSuccess.at}`
  const detail = state === 'never ran' ? ', and never was' : (lastRead ?? '')
  // A run at the tick that failed proves that the scheduler runs.
  const cause = state === 'failed' ? 'its last run failed, see above' : 'check that its scheduler runs'
  return fault('overdue', `it should have been read after ${overdueSince}${detail}: ${cause}`)
}

/**
 * Returns the finding of a stream whose last runs read nothing and whose runs before read many records. Full and
 * incremental runs are not compared with each other.
 */
function silence(done: readonly SyncSummary[]): Found | undefined {
  const [last] = done
  if (!last || last.read > 0) return undefined
  const alike = done.filter(({ since }) => (since === undefined) === (last.since === undefined))
  const empty = alike.findIndex(({ read }) => read > 0)
  if (empty < 0) return undefined
  const before = alike
    .slice(empty, empty + USUAL_RUNS)
    .map(({ read }) => read)
    .toSorted((a, b) => a - b)
  const usual = before[Math.floor(before.length / 2)] ?? 0
  if (usual < (last.since === undefined ? 1 : MIN_USUAL_RECORDS)) return undefined
  return fault(
    'nothing read',
    `${empty === 1 ? 'the last run' : `each of the last ${empty} runs`} read nothing. ` +
      `Runs before read ${formatNumber(usual)} records: check whether the responses of the API have changed`,
  )
}

/**
 * Returns the finding of a stream that reads records without moving its cursor: they have no cursor value, all are
 * rejected, or the API ignores the bound in the request.
 */
function standstill(done: readonly SyncSummary[], now: Date): Found | undefined {
  const [last] = done
  if (last?.since === undefined) return undefined
  const moved = done.findIndex(({ since, high }) => since !== last.since || (high ?? since) !== last.since)
  const same = moved < 0 ? done : done.slice(0, moved)
  if (same.length < MIN_STILL_RUNS || same.some(({ read }) => read === 0)) return undefined
  const oldest = same.at(-1) ?? last
  if (isDay(last.since) && now.getTime() - oldest.createdAt.getTime() < MAX_DAY_STILL_MS) return undefined
  const text =
    `the cursor has stood at ${last.since} for ${same.length === done.length ? 'at least ' : ''}${same.length} runs, ` +
    `which read ${range(same.map(({ read }) => read))} records each`
  if (same.slice(0, MIN_STILL_RUNS).every(({ stored, rejected }) => stored + rejected > 0))
    return fault('cursor stands still', `${text}: check whether records still have a cursor value`)
  // Each run reads the records at the boundary again, so a few of them are no finding.
  return same.every(({ read }) => read >= MIN_USUAL_RECORDS)
    ? notice('cursor stands still', `${text}, and found nothing new: check whether the API obeys \`since\``)
    : undefined
}

/** Returns the finding of a stream whose fields have lost their values. It stays until there are values again. */
function lostFields([last]: readonly SyncSummary[]): Found | undefined {
  const lost = last?.lostFields ?? []
  return lost.length === 0 ? undefined : fault('values lost', lostFieldsText(lost))
}

/** Returns the finding of a key that several records of a page have. It stays until the same was read without them. */
const keyNotUnique = ({ run, message }: SharedKey, name: string): Found =>
  fault(
    'key not unique',
    `run ${run} found that the key is not unique: ${message}. This stays until the key has changed, or a reading of ` +
      `everything finds it unique: sluice run ${name} --full`,
  )

/** Returns the finding of a stream whose last run read records that the API announced as deleted. */
function keptAfterDeletion({ runs: [last], table }: StreamStatus): Found | undefined {
  if (last === undefined || last.deleted === 0) return undefined
  const records = `${formatCount(last.deleted, 'record')} ${last.deleted === 1 ? 'was' : 'were'}`
  return notice('deleted', `${records} announced as deleted in the last run, and ${table} keeps their rows`)
}

const isDay = (cursor: string): boolean => cursor.length === 10 && parseInstant(cursor) !== undefined

function range(numbers: readonly number[]): string {
  const [least, most] = [formatNumber(Math.min(...numbers)), formatNumber(Math.max(...numbers))] as const
  return least === most ? least : `${least} to ${most}`
}

const because = (error: string | null | undefined): string => (error ? `: ${error}` : '')
