import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { VerifyOptions as EngineOptions } from '../run/verify/options.ts'
import type { VerifyReport } from '../run/verify/verification.ts'

/** Options of `verify()`. */
export interface VerifyOptions extends EngineOptions {
  /** Only these accounts of a pipeline that has several. @default all */
  readonly accounts?: readonly string[] | undefined
}

/**
 * Reads streams and compares them with their tables, by key: rows that are missing, stale, or extra. Runs may go on
 * meanwhile. Nothing is written, unless `repair` is set.
 *
 * A stream that fails does not stop the others: its `status` is `failed`. An account that cannot start throws.
 *
 * @example
 * const { ok, streams } = await verify(billing, { streams: ['invoices'], repair: true })
 */
export async function verify(
  pipeline: Pipeline | AccountsPipeline,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  rejectUnknownOptions('verify()', options, typeof pipeline.streams === 'function' ? ACCOUNTS_OPTIONS : OPTIONS)
  const { verifyPipeline } = await import('../run/verify/verify-pipeline.ts')
  const { isVerified } = await import('../run/verify/verification.ts')
  const { eachPipeline } = await import('../run/verify/each-pipeline.ts')
  const streams = await eachPipeline(pipeline, options, (one) => verifyPipeline(one, options))
  return { ok: isVerified(streams), streams }
}

const OPTIONS: OptionNames<EngineOptions> = {
  streams: true,
  from: true,
  to: true,
  window: true,
  zone: true,
  repair: true,
  samples: true,
  database: true,
  environment: true,
  onProgress: true,
  signal: true,
}
const ACCOUNTS_OPTIONS: OptionNames<VerifyOptions> = { ...OPTIONS, accounts: true }
