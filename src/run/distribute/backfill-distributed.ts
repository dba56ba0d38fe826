import type { Pipeline } from '../../define/pipeline.ts'
import type { Report } from '../../model/report.ts'
import { defined } from '../../value/defined.ts'
import { backfillPipeline } from '../backfill/backfill-pipeline.ts'
import type { BackfillOptions } from '../options.ts'
import { handOutWindows } from './hand-out-windows.ts'

/**
 * Runs a backfill whose windows are read by workers, each as a piece of work of its own, and returns the report as
 * `backfillPipeline` would. Reads the windows itself as long as no worker is alive that has the pipeline.
 */
export function backfillDistributed(
  pipeline: Pipeline,
  options: BackfillOptions & { readonly onNote?: (note: string) => void },
): Promise<Report> {
  const { onNote = () => {}, only, mostDeletes, batch } = options
  return backfillPipeline(pipeline, {
    ...options,
    handOut: (stream, handed) =>
      handOutWindows(stream, { ...handed, options: defined({ only, mostDeletes, batch }), onNote }),
  })
}
