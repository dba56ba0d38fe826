import type { Pipeline } from '../../define/pipeline.ts'
import { UsageError } from '../../model/errors.ts'
import { calendarWindows, instantText, type CutRange } from '../backfill/calendar-windows.ts'
import { rejectLongWindows } from '../backfill/reject-long-windows.ts'
import { windowProblem, windowWarning } from '../backfill/windowable.ts'
import { chosenStreams } from '../chosen-streams.ts'
import { openReading, type Reading } from './open-reading.ts'
import type { VerifyOptions } from './options.ts'
import { repair } from './repair.ts'
import { NOTHING_VERIFIED, type StreamVerification } from './verification.ts'
import { verifyStream } from './verify-stream.ts'

/**
 * Compares the streams of a pipeline with their tables, one after the other. Neither tables nor the ledger change,
 * unless `repair` is set. A stream that cannot be compared is `skipped` with the reason; if there is no other one, a
 * `UsageError` is thrown.
 */
export async function verifyPipeline(pipeline: Pipeline, options: VerifyOptions = {}): Promise<StreamVerification[]> {
  const names = chosenStreams(pipeline, options.streams)
  const range = rangeOf(options)
  await using reading = await openReading(pipeline, { ...options, streams: names, sharesRates: true })
  const problems = new Map(
    names.flatMap((name) => {
      const problem = problemOf(pipeline, name, { range, reading })
      return problem === undefined ? [] : [[name, problem] as const]
    }),
  )
  if (problems.size === names.length)
    throw new UsageError([...problems].map(([name, problem]) => `${pipeline.name}.${name}: ${problem}`).join('. '))
  if (range)
    rejectLongWindows(
      pipeline,
      names.filter((name) => !problems.has(name)),
      range,
    )
  const results: StreamVerification[] = []
  for (const stream of names) {
    const problem = problems.get(stream)
    results.push(
      problem === undefined
        ? await verifyOne(reading, { pipeline, stream, range, options })
        : skipped(pipeline, stream, problem),
    )
  }
  return results
}

interface OneOptions {
  readonly pipeline: Pipeline
  readonly stream: string
  readonly range: CutRange | undefined
  readonly options: VerifyOptions
}

async function verifyOne(
  reading: Reading,
  { pipeline, stream, range, options }: OneOptions,
): Promise<StreamVerification> {
  const flow = pipeline.streams[stream]
  if (!flow) throw new UsageError(`${pipeline.name} has no stream '${stream}'`)
  const { database, environment, signal, samples, onProgress } = options
  const verified = await verifyStream(reading, {
    pipeline,
    stream,
    flow,
    windows: range?.windows,
    samples,
    onProgress,
    repair: options.repair
      ? (plan, comparison, found) =>
          repair(plan, comparison, {
            pipeline,
            stream,
            flow,
            database,
            cursor: reading.cursorOf(stream),
            isRange: range !== undefined,
            found,
            ...(environment && { environment }),
            ...(signal && { signal }),
          })
      : undefined,
  })
  const warning = range && windowWarning(flow.recipe)
  return warning === undefined ? verified : { ...verified, warnings: [warning, ...verified.warnings] }
}

function rangeOf({ from, to, window, zone }: VerifyOptions): CutRange | undefined {
  if (from !== undefined)
    return calendarWindows({ from, to: to ?? instantText(new Date()), window: window ?? '1d', zone })
  const given = Object.entries({ to, window, zone }).find(([, value]) => value !== undefined)
  if (given)
    throw new UsageError(`${given[0]} needs from: without the start of a range, all of a stream is read at once`)
  return undefined
}

/** Returns why a stream cannot be compared, and the remedy; undefined if it can. */
function problemOf(
  pipeline: Pipeline,
  stream: string,
  { range, reading }: { readonly range: CutRange | undefined; readonly reading: Reading },
): string | undefined {
  const flow = pipeline.streams[stream]
  if (!flow) return undefined
  if (flow.table.key.length === 0)
    return `its table has no key, so its rows cannot be compared one by one. Give it one: { key: 'id' }`
  const problem = range && windowProblem(flow, reading.cursorOf(stream))
  return problem === undefined
    ? undefined
    : `it cannot be read in windows: ${problem}. Leave out from, and it is read at once`
}

const skipped = (pipeline: Pipeline, stream: string, error: string): StreamVerification => ({
  pipeline: pipeline.name,
  stream,
  table: pipeline.streams[stream]?.table.name ?? '',
  status: 'skipped',
  counts: NOTHING_VERIFIED,
  samples: [],
  warnings: [],
  requests: 0,
  ms: 0,
  error,
})
