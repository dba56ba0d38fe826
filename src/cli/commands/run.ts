import { findPipelines } from '../../run/find-pipelines.ts'
import { reportText } from '../../run/report-text.ts'
import { run } from '../../run/run.ts'
import { interruptible } from '../signals.ts'

export async function runCommand(words: readonly string[], options: Record<string, unknown>): Promise<number> {
  using stop = interruptible()
  let code = 0
  for (const { pipeline } of await findPipelines(words)) {
    const report = await run(pipeline, {
      signal: stop.signal,
      full: options['full'] === true,
      overlap: options['overlap'] as 'fail',
      ...(options['batchRows'] !== undefined && { batch: { rows: Number(options['batchRows']) } }),
      streams: options['stream'] as string[] | undefined,
    })
    console.log(options['json'] ? JSON.stringify(report) : reportText(report))
    code = Math.max(code, report.status === 'done' ? 0 : report.status === 'failed' ? 1 : 130)
  }
  return code
}
