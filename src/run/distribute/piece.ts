import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import {
  hasBegun,
  PieceTakenError,
  readAttempts,
  recordStoppedAttempt,
  type AttemptState,
  type PieceAttempt,
} from '../../ledger/pieces.ts'
import { recordFailedStart } from '../../ledger/runs.ts'
import { queueName } from '../../ledger/work-queues.ts'
import { PausedError } from '../../model/errors.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { pipelineVersion } from '../../read/pipeline-version.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { isPassing } from '../is-passing.ts'
import type { RunOptions } from '../options.ts'
import { problemText } from '../report/problem-text.ts'
import { runPipeline } from '../run-pipeline.ts'
import type { WindowPiece } from './window-piece.ts'

/** A piece of work: one stream, read until it is up to date. The job that carries it holds this as JSON. */
export interface SyncPiece {
  readonly kind: 'sync'
  /** The pipeline, or that of an account, such as `shops@north`. */
  readonly pipeline: string
  readonly stream: string
  readonly options: PieceOptions
}

/** Options of a run that its pieces have too. */
export type PieceOptions = Pick<RunOptions, 'full' | 'overlap' | 'mostDeletes' | 'receipt' | 'batch'>

/** The version of a pipeline's definition, which is computed once. */
export function versionOf(pipeline: Pipeline): string {
  const version = versions.get(pipeline) ?? pipelineVersion(pipeline)
  versions.set(pipeline, version)
  return version
}

const versions = new WeakMap<Pipeline, string>()

/** The queue of a pipeline's streams in one version: a worker takes from those of the definitions that it has. */
export const queueOf = (pipeline: Pipeline): string =>
  queueName({ pipeline: pipeline.name, version: versionOf(pipeline) })

/** The queue of the windows of one stream. Each stream has one of its own, so that they take turns. */
export const windowQueueOf = (pipeline: Pipeline, stream: string): string =>
  queueName({ pipeline: pipeline.name, version: versionOf(pipeline), stream })

/** Returns what a job carries. Throws if a process of another version has sent it. */
export function parsePiece(data: unknown): SyncPiece | WindowPiece {
  const piece = data as SyncPiece | WindowPiece | null
  if ((piece?.kind !== 'sync' && piece?.kind !== 'window') || typeof piece.stream !== 'string')
    throw new TypeError('the job is of a kind that this version of Sluice does not know: update Sluice here')
  return piece
}

export interface AttemptOptions {
  readonly database: Database
  readonly attempt: PieceAttempt
  /** Options of the run that do not belong to the piece. */
  readonly runs: Pick<RunOptions, 'database' | 'environment' | 'memory' | 'onEvent' | 'onStreamError'>
  readonly signal: AbortSignal
}

export interface Attempted {
  /** The newest attempt at the piece after this call; undefined if there is none. */
  readonly newest: AttemptState | undefined
  /** It is the run that this call has started. */
  readonly isOwn: boolean
}

const POLL_MS = 1_000
/** Time to read what has become of a run after the signal has aborted. */
const FINAL_READ_MS = 2_000

/**
 * Does a piece of work, unless it has ended. Waits while another process does it, and goes on where that one leaves it:
 * a job may come twice. Throws if no run could start, such as without a database.
 */
export async function attemptPiece(
  pipeline: Pipeline,
  piece: Pick<SyncPiece, 'stream' | 'options'>,
  options: AttemptOptions,
): Promise<Attempted> {
  const { database, attempt, signal } = options
  for (;;) {
    signal.throwIfAborted()
    const before = (await readAttempts(database, [attempt.id], signal)).get(attempt.id)
    if (before?.state === 'ended') return { newest: before, isOwn: false }
    if (before?.state === 'running') {
      await sleep(POLL_MS, { signal })
      continue
    }
    const ran = await runOnce(pipeline, piece, before, options)
    if (ran === 'taken') continue
    const reading = signal.aborted ? AbortSignal.timeout(FINAL_READ_MS) : signal
    const newest = (await readAttempts(database, [attempt.id], reading)).get(attempt.id)
    if (newest === undefined || (ran.error !== undefined && newest.state !== 'ended')) throw ran.error
    return { newest, isOwn: ran.run === undefined || newest.run === ran.run }
  }
}

interface Ran {
  /** Undefined if it failed before it started. */
  readonly run?: string
  readonly error?: unknown
}

/** Runs the stream of a piece. `taken`: another process was faster, or the piece has ended meanwhile. */
async function runOnce(
  pipeline: Pipeline,
  { stream, options }: Pick<SyncPiece, 'stream' | 'options'>,
  before: AttemptState | undefined,
  { database, attempt, runs, signal }: AttemptOptions,
): Promise<Ran | 'taken'> {
  // An attempt that has begun to read everything is continued. Begun again each time, a long one would never end.
  const full = options.full === true && !(before && (await hasBegun(database, attempt.id, signal)))
  // The run of a dead worker holds the stream until its lease ends. That is no other run of which `overlap` speaks.
  const overlap = before ? 'wait' : (options.overlap ?? 'fail')
  try {
    const { run } = await runPipeline(pipeline, {
      ...runs,
      ...options,
      streams: [stream],
      full,
      overlap,
      piece: attempt,
      signal,
    })
    return { run }
  } catch (error) {
    if (error instanceof PieceTakenError) return 'taken'
    if (!signal.aborted && !isPassing(error))
      await recordFailure(pipeline, stream, error, { database, attempt, runs, signal })
    return { error }
  }
}

/** Lets the process that waits for the piece know that it cannot start, unless the run has recorded that itself. */
async function recordFailure(
  pipeline: Pipeline,
  stream: string,
  error: unknown,
  { database, attempt, runs: { environment }, signal }: AttemptOptions,
): Promise<void> {
  const newest = (await readAttempts(database, [attempt.id], signal)).get(attempt.id)
  if (newest?.state === 'ended') return
  if (error instanceof PausedError) {
    const paused = { pipeline: pipeline.name, stream, error: error.message, isPaused: true }
    await recordStoppedAttempt(database, { ...paused, piece: attempt, signal })
    return
  }
  await recordFailedStart(database, {
    kind: 'sync',
    pipeline: pipeline.name,
    options: { streams: [stream] },
    error: readSecrets(environmentOf(pipeline, environment)).hide(problemText(error, pipeline.name)),
    piece: attempt,
    signal,
  })
}
