import type { Flows, Pipeline } from '../../define/pipeline.ts'
import type { Report } from '../../model/report.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { defined } from '../../value/defined.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { ActiveRun } from '../active-run.ts'
import { checkMostDeletes } from '../check-most-deletes.ts'
import { requireSecrets } from '../chosen-streams.ts'
import { recordingFailedStart } from '../failed-start.ts'
import { DEFAULTS, resolveBatch, type BackfillOptions } from '../options.ts'
import { requireUnpaused } from '../pause-watch.ts'
import { RunContext } from '../run-context.ts'
import { StreamContext } from '../stream-context.ts'
import { backfillStream, type BackfillStreamOptions } from './backfill-stream.ts'
import { boundsOf, calendarWindows } from './calendar-windows.ts'
import { rejectLongWindows } from './reject-long-windows.ts'
import { storedCursors } from '../stored-cursors.ts'
import { windowableStreams } from './windowable.ts'

/** Runs a backfill and returns the report, also if windows failed. */
export async function backfillPipeline<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: BackfillOptions & Pick<BackfillStreamOptions, 'handOut'>,
): Promise<Report<keyof Streams & string>> {
  const { window = '1d', zone, from, to, concurrency = DEFAULTS.windows, only, mostDeletes, handOut } = options
  const range = calendarWindows({ from, to, window, zone })
  const onlyWindows = boundsOf(range.windows, options.onlyWindows)
  const batch = resolveBatch(options.batch)
  const secrets = readSecrets(environmentOf(pipeline, options.environment))
  const chosen = windowableStreams(pipeline, options.stream).streams
  checkMostDeletes(pipeline, chosen, mostDeletes)
  await recordingFailedStart(() => requireSecrets(pipeline, chosen, secrets), {
    ...options,
    kind: 'backfill',
    pipeline: pipeline.name,
    options: { streams: chosen, from, to, window, ...defined({ zone, only }) },
  })
  await using context = await RunContext.open(pipeline, { ...options, secrets, connections: concurrency + 4 })
  const cursors = await storedCursors(context.database, pipeline.name)
  const { streams, skipped } = windowableStreams(pipeline, options.stream, cursors)
  rejectLongWindows(pipeline, streams, range)
  const { windows: _, ...recordedRange } = range
  const { database, readSignal: signal } = context
  const pauses = await requireUnpaused(database, { pipeline: pipeline.name, streams, signal })
  await using run = await ActiveRun.start(context, {
    kind: 'backfill',
    streams,
    pauses,
    options: { ...recordedRange, concurrency, ...defined({ only, onlyWindows }) },
  })
  for (const [name, problem] of skipped) run.emit({ type: 'warning', message: `${name} was skipped: ${problem}` })
  // One stream after the other: each reads its windows at once, and shares the rate limit of its API with no other.
  for (const name of streams) {
    const stream = new StreamContext(run, name, { batch, mostDeletes })
    run.finishStream(
      name,
      await backfillStream(stream, { range, selection: { only, onlyWindows }, concurrency, handOut }),
    )
  }
  return await run.finish()
}
