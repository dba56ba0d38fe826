// Each function of this folder loads its engine when it is called, so a pipeline file loads only the words.
import type { Flows, Pipeline } from '../define/pipeline.ts'
import { rejectRenamedWords } from '../define/renamed-words.ts'
import type { Report } from '../model/report.ts'
import type { RunOptions as EngineOptions } from '../run/options.ts'
import { throwIfFailed } from './run-failed-error.ts'

export interface RunOptions extends EngineOptions {
  /** Throw a `RunFailedError` if a stream failed. With `false`, read `report.status` instead. @default true */
  readonly throwOnFailure?: boolean
}

/**
 * Brings the tables of a pipeline up to date and returns a report. A stream that fails does not stop the others: after
 * they have ended, a `RunFailedError` with the report is thrown.
 *
 * Aborting `signal` ends the run within 5 s. Complete batches are committed first, and the next run resumes after them.
 *
 * @example
 * const report = await run(billing, { database: 'postgres://localhost/warehouse' })
 * console.log(report.streams.customers.counts.inserted)
 */
export async function run<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: RunOptions = {},
): Promise<Report<keyof Streams & string>> {
  rejectRenamedWords('run()', options, { on: 'onEvent', failed: 'onStreamError' })
  const { throwOnFailure = true, ...engineOptions } = options
  const { runPipeline } = await import('../run/run-pipeline.ts')
  const report = await runPipeline(pipeline, engineOptions)
  if (throwOnFailure) throwIfFailed(report)
  return report
}
