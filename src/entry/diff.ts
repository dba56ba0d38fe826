import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { DiffOptions as EngineOptions } from '../run/verify/diff-pipeline.ts'
import type { DiffReport } from '../run/verify/stream-diff.ts'

/** Options of `diff()`. */
export interface DiffOptions extends EngineOptions {
  /** Only these accounts of a pipeline that has several. @default all */
  readonly accounts?: readonly string[] | undefined
}

/**
 * Returns what the next run of a pipeline would change: it reads as that run would, and compares the rows with the
 * tables. Nothing is written. A stream that fails does not stop the others. An account that cannot start throws.
 *
 * @example
 * const { streams } = await diff(billing, { streams: ['invoices'] })
 * for (const { stream, insert, update } of streams) console.log(stream, insert, update)
 */
export async function diff(pipeline: Pipeline | AccountsPipeline, options: DiffOptions = {}): Promise<DiffReport> {
  rejectUnknownOptions('diff()', options, typeof pipeline.streams === 'function' ? ACCOUNTS_OPTIONS : OPTIONS)
  const { diffPipeline } = await import('../run/verify/diff-pipeline.ts')
  const { eachPipeline } = await import('../run/verify/each-pipeline.ts')
  const streams = await eachPipeline(pipeline, options, (one) => diffPipeline(one, options))
  return { ok: streams.every(({ status }) => status === 'done'), streams }
}

const OPTIONS: OptionNames<EngineOptions> = {
  streams: true,
  full: true,
  samples: true,
  database: true,
  environment: true,
  onProgress: true,
  signal: true,
}
const ACCOUNTS_OPTIONS: OptionNames<DiffOptions> = { ...OPTIONS, accounts: true }
