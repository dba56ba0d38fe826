import type { Pipeline } from '../define/pipeline.ts'
import type { StatusOptions } from '../run/options.ts'
import type { StatusReport } from '../run/status/stream-status.ts'

/**
 * Returns the state of each stream of some pipelines, and findings about what is wrong. Nothing is written. If nothing
 * has ever run, no database is needed.
 *
 * @example
 * const { ok, findings } = await readStatus([billing, forum])
 */
export async function readStatus(pipelines: readonly Pipeline[], options: StatusOptions = {}): Promise<StatusReport> {
  const { readPipelineStatus } = await import('../run/status/status.ts')
  return readPipelineStatus(pipelines, options)
}
