import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { StatusOptions } from '../run/options.ts'
import type { StatusReport } from '../run/status/stream-status.ts'

/**
 * Returns the state of each stream of some pipelines, and findings about what is wrong. Nothing is written. If nothing
 * has ever run, no database is needed.
 *
 * @example
 * const { ok, findings } = await readStatus([billing, forum])
 */
export async function readStatus(
  pipelines: readonly (Pipeline | AccountsPipeline)[],
  options: StatusOptions = {},
): Promise<StatusReport> {
  rejectUnknownOptions('readStatus()', options, OPTIONS)
  const { readPipelineStatus } = await import('../run/status/status.ts')
  const { expandAll } = await import('../run/accounts/expand-accounts.ts')
  const { pipelines: all, failed } = await expandAll(pipelines, options)
  const report = await readPipelineStatus(all, options)
  const findings = failed.map(({ pipeline, message }) => ({
    kind: 'account' as const,
    isFault: true,
    pipeline,
    message,
  }))
  return { ...report, ok: report.ok && failed.length === 0, findings: [...findings, ...report.findings] }
}

const OPTIONS: OptionNames<StatusOptions> = {
  database: true,
  environment: true,
  grace: true,
  now: true,
  signal: true,
}
