import { createHash } from 'node:crypto'
import type { Pipeline } from '../../define/pipeline.ts'
import type { StoredWorker } from '../../ledger/workers.ts'
import type { Report } from '../../model/report.ts'
import { defined } from '../../value/defined.ts'
import { checkMostDeletes } from '../check-most-deletes.ts'
import { chosenStreams } from '../chosen-streams.ts'
import { openStore } from '../open-store.ts'
import { resolveBatch, type RunOptions } from '../options.ts'
import { requireUnpaused } from '../pause-watch.ts'
import { runPipeline } from '../run-pipeline.ts'
import { schemasOf, tablesOf } from '../schema-right.ts'
import { findWorkers } from './find-workers.ts'
import { openWorkQueue } from './open-work-queue.ts'
import { HandedOut } from './handed-out.ts'

export interface DistributeOptions extends RunOptions {
  /** Called with a sentence on who does the work. */
  readonly onNote?: (note: string) => void
  /**
   * Called before the streams are handed out. Returns a UUID of which the ids of their pieces are made: with one that
   * was used before, this call goes on with the same pieces. @default new pieces
   */
  readonly onHandOut?: () => Promise<string>
  /** They were handed out before: this call goes on with the same pieces, also if no worker lives. @default false */
  readonly isHandedOut?: boolean
  /** If no worker has begun after this time, this process begins with one stream. @default it waits */
  readonly beginWithinMs?: number
}

/**
 * Runs the streams of a pipeline on workers, each stream as a piece of work of its own, and returns the report as
 * `runPipeline` would. Does the work itself as long as no worker is alive that has the same version of the pipeline.
 */
export async function runDistributed(pipeline: Pipeline, options: DistributeOptions = {}): Promise<Report> {
  const { onNote = () => {}, onHandOut, isHandedOut = false, signal = new AbortController().signal } = options
  const names = chosenStreams(pipeline, options.streams)
  checkMostDeletes(pipeline, names, options.mostDeletes)
  resolveBatch(options.batch)
  const schemas = schemasOf(tablesOf([pipeline]))
  await using store = await openStore({
    ...defined({ database: options.database, environment: options.environment }),
    schemas,
    signal,
    max: 4,
  })
  await requireUnpaused(store.database, { pipeline: pipeline.name, streams: names, signal })
  const { able, others } = await findWorkers(store.database, pipeline)
  if (able.length === 0) {
    onNote(`${pipeline.name}: ${nobodyText(others)}; this process does the work itself`)
    // New runs would read again what pieces have read, and jobs of those that are left would come later.
    if (!isHandedOut) return await runPipeline(pipeline, options)
  } else {
    const places = able.map(({ name }) => name).join(', ')
    onNote(`${pipeline.name}: ${names.length === 1 ? '1 stream' : `${names.length} streams`} handed to ${places}`)
  }
  await using queue = await openWorkQueue(store.database, { schemas })
  const pieces = await onHandOut?.()
  const handed = new HandedOut(pipeline, names, {
    ...options,
    database: store.database,
    url: options.database,
    queue,
    onNote,
    ...(pieces !== undefined && { pieceOf: (stream) => pieceId(pieces, stream) }),
    signal,
  })
  return await handed.run()
}

/** Returns the id of the piece of a stream: always the same for the same UUID. */
export function pieceId(pieces: string, stream: string): string {
  const hex = createHash('sha256').update(`${pieces} ${stream}`).digest('hex')
  const last = `a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${last}`
}

const nobodyText = (others: readonly StoredWorker[]): string =>
  others.length === 0
    ? 'no worker is alive'
    : `no worker has this version of it (${others.map(({ name }) => name).join(', ')})`
