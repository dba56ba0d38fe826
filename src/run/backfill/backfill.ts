import type { Flows, Pipeline } from '../../define/pipeline.ts'
import type { Report, StreamReport } from '../../model/report.ts'
import { readSecrets } from '../../observe/secrets.ts'
import type { BackfillPlan } from './backfill-plan.ts'
import { backfillStream } from './backfill-stream.ts'
import { boundsOf, calendarWindows } from './calendar-windows.ts'
import { requireSecrets } from '../chosen-streams.ts'
import { openRun } from '../run-context.ts'
import { defaults, type BackfillOptions } from '../options.ts'
import { backfillPlan, cursorsOf, windowableStreams } from './dry-run.ts'

/**
 * Read a range of a stream window by window, several at once, into its table; the stream's cursor stays where it is.
 * The same words (stream, from, to, window, zone) go on where they stopped, other words make a new backfill. A window
 * that fails leaves the others running.
 *
 * An aborted `signal` ends it within 5 s; what is whole is committed first. With `dryRun` it answers what would be
 * done, and asks nothing.
 *
 * @example
 * const report = await backfill(billing, { stream: 'invoices', from: '2024-01-01', to: '2025-01-01', window: '1d',
 * concurrency: 8 }) console.log(report.streams.invoices.backfill.windows)
 */
export async function backfillPipeline<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: BackfillOptions & { readonly dryRun: true },
): Promise<BackfillPlan[]>
export async function backfillPipeline<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: BackfillOptions & { readonly dryRun?: false },
): Promise<Report<keyof Streams & string>>
export async function backfillPipeline(
  pipeline: Pipeline,
  { dryRun = false, ...options }: BackfillOptions & { readonly dryRun?: boolean },
): Promise<Report | BackfillPlan[]> {
  if (dryRun) return backfillPlan(pipeline, options)
  const { window = '1d', zone, from, to, concurrency = defaults.windows, only } = options
  const { windows, ...range } = calendarWindows({ from, to, window, zone })
  const onlyWindows = boundsOf(windows, options.onlyWindows)
  const secrets = readSecrets(options.environment ?? process.env)
  for (const name of windowableStreams(pipeline, options.stream).streams)
    requireSecrets(pipeline.streams[name]!, secrets, `${pipeline.name}.${name}`)
  await using frame = await openRun(pipeline, { ...options, secrets, connections: concurrency + 4 })
  const { streams, left } = windowableStreams(pipeline, options.stream, await cursorsOf(frame.database, pipeline.name))
  const going = await frame.begin({
    kind: 'backfill',
    streams,
    options: { ...range, concurrency, ...(only && { only }), ...(onlyWindows && { onlyWindows }) },
  })
  for (const [name, fault] of left) going.emit({ type: 'warning', message: `${name} was left out: ${fault}` })

  const reports: [string, StreamReport][] = []
  // One after the other: each has all windows at once, and one budget of its API.
  for (const stream of streams) {
    reports.push([
      stream,
      await backfillStream({
        ...going,
        ...range,
        windows,
        only,
        onlyWindows,
        concurrency,
        frame,
        pipeline: pipeline.name,
        stream,
        flow: pipeline.streams[stream]!,
        limits: { ...defaults.batch, ...options.batch },
        failed: options.onStreamError,
      }),
    ])
  }
  return await going.end(reports)
}
