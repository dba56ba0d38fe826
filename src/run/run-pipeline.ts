import type { Flows, Pipeline } from '../define/pipeline.ts'
import { asCompleted } from '../flow/as-completed.ts'
import { Semaphore } from '../flow/semaphore.ts'
import type { PieceAttempt } from '../ledger/pieces.ts'
import type { Report, StreamReport } from '../model/report.ts'
import { readSecrets } from '../observe/secrets.ts'
import { environmentOf } from './accounts/environment-of.ts'
import { ActiveRun } from './active-run.ts'
import { checkMostDeletes } from './check-most-deletes.ts'
import { chosenStreams, requireSecrets } from './chosen-streams.ts'
import { recordingFailedStart } from './failed-start.ts'
import { DEFAULTS, resolveBatch, type RunOptions } from './options.ts'
import { requireUnpaused } from './pause-watch.ts'
import { RunContext } from './run-context.ts'
import { StreamContext } from './stream-context.ts'
import { runStream } from './sync/run-stream.ts'
import type { SyncStreamOptions } from './sync/sync-stream.ts'

/**
 * Runs the streams of a pipeline and returns the report, also if streams failed. With a `piece`, throws
 * `PieceTakenError` if another process is doing it.
 */
export async function runPipeline<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: RunOptions & { readonly piece?: PieceAttempt } = {},
): Promise<Report<keyof Streams & string>> {
  const { full = false, overlap = 'fail', concurrency = DEFAULTS.concurrency } = options
  const names = chosenStreams(pipeline, options.streams)
  const { mostDeletes, receipt: hasReceipt = false } = options
  checkMostDeletes(pipeline, names, mostDeletes)
  const batch = resolveBatch(options.batch)
  const secrets = readSecrets(environmentOf(pipeline, options.environment))
  await recordingFailedStart(() => requireSecrets(pipeline, names, secrets), {
    ...options,
    kind: 'sync',
    pipeline: pipeline.name,
    options: { streams: names, full },
  })
  await using context = await RunContext.open(pipeline, {
    ...options,
    secrets,
    connections: readersOf(pipeline, names) + 4,
  })
  const { database, readSignal: signal } = context
  const pauses = await requireUnpaused(database, { pipeline: pipeline.name, streams: names, signal })
  const recorded = { kind: 'sync', streams: names, options: { full }, pauses, piece: options.piece } as const
  await using run = await ActiveRun.start(context, recorded)
  const permits = new Semaphore(concurrency)
  const streams = names.map((name) => new StreamContext(run, name, { batch, mostDeletes, hasReceipt }))
  const running = streams.map((stream) => runInTurn(stream, permits, { full, overlap }))
  for await (const [stream, report] of asCompleted(running)) run.finishStream(stream, report)
  return await run.finish()
}

/** Returns how many slices may be written at once. */
const readersOf = ({ streams }: Pipeline, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (streams[name]?.recipe.incremental?.concurrency ?? 1), 0)

async function runInTurn(
  stream: StreamContext,
  permits: Semaphore,
  options: SyncStreamOptions,
): Promise<readonly [stream: string, report: StreamReport]> {
  const permit = await permits.acquire({ signal: stream.readSignal }).catch(() => undefined)
  if (!permit) return [stream.stream, stream.stopped()]
  using _permit = permit
  return [stream.stream, await runStream(stream, options)]
}
