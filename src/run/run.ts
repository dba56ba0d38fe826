import type { Flows, Pipeline } from '../define/pipeline.ts'
import { Semaphore } from '../flow/semaphore.ts'
import type { Report, StreamReport } from '../model/report.ts'
import { readSecrets } from '../observe/secrets.ts'
import { chosenStreams, requireSecrets } from './chosen-streams.ts'
import { openRun } from './run-context.ts'
import { defaults, type RunOptions } from './options.ts'
import { runStream } from './sync/run-stream.ts'

/**
 * Bring the tables of a pipeline up to date, and answer what happened. A stream that fails leaves the others running:
 * the report names it. Throws only where nothing could begin: wrong options, a missing secret, no database.
 *
 * An aborted `signal` ends it within 5 s; what is whole is committed first, and the next run goes on from there.
 *
 * @example
 * const report = await run(billing, { database: 'postgres://localhost/warehouse' })
 * console.log(report.streams.customers.counts.inserted)
 */
export async function runPipeline<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: RunOptions = {},
): Promise<Report<keyof Streams & string>> {
  const { full = false, overlap = 'fail', concurrency = defaults.concurrency } = options
  const names = chosenStreams(pipeline, options.streams)
  const limits = { ...defaults.batch, ...options.batch }
  const secrets = readSecrets(options.environment ?? process.env)
  for (const name of names) requireSecrets(pipeline.streams[name]!, secrets, `${pipeline.name}.${name}`)
  await using frame = await openRun(pipeline, { ...options, secrets, connections: names.length + 4 })
  const going = await frame.begin({ kind: 'sync', streams: names, options: { full } })
  const permits = new Semaphore(concurrency)

  const one = async (stream: string): Promise<StreamReport> => {
    const { recipe, table } = pipeline.streams[stream]!
    const gauge = going.gauge(stream)
    const permit = await permits.acquire({ signal: frame.reading }).catch(() => undefined)
    if (!permit) return gauge.report('interrupted')
    using _permit = permit
    using lent = going.lend(stream)
    return await runStream({
      ...lent,
      ...going,
      pipeline: pipeline.name,
      stream,
      recipe,
      table,
      full,
      overlap,
      limits,
      gauge,
      failed: options.onStreamError,
    })
  }
  // Each on its own: one that fails must not stop the others.
  const streams = await Promise.all(names.map(async (name) => [name, await one(name)] as const))
  return await going.end(streams)
}
