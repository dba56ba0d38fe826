import { findPipelines } from '../../../run/find-pipelines.ts'
import { replay } from '../../../run/replay/replay.ts'
import { reportText } from '../../../run/report/report-text.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { outputModeOf } from '../../progress/open-progress.ts'
import { eventLog } from '../../progress/event-log.ts'
import { printStack } from '../../output/print-error.ts'
import { exitCodeOfReport, withStreams } from '../sync/run.ts'

interface ReplayCommandOptions extends CommonOptions {
  readonly stream?: readonly string[]
  readonly id?: readonly string[]
  readonly overwrite?: boolean
  readonly json?: boolean
}

/** `sluice rejects replay` */
export async function rejectsReplayCommand(
  [word]: [string],
  { stream, id, overwrite = false, database, json = false }: ReplayCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const [found] = withStreams(await findPipelines([word]), stream)
  const { pipeline, streams } = found!
  const mode = outputModeOf({ json })
  const failures: unknown[] = []
  const log = mode === 'events' ? eventLog(pipeline.name, process.stdout, { verbose }) : undefined
  const report = await replay(pipeline, {
    signal,
    database,
    streams,
    ids: id,
    overwrite,
    ...(log && { onEvent: log.on }),
    onStreamError: (_, error) => failures.push(error),
  })
  if (!report) {
    if (mode === 'json') console.log('null')
    else if (!log) console.log(`${word}: there is nothing to replay`)
    return 0
  }
  if (log) log.report(report)
  else console.log(mode === 'json' ? JSON.stringify(report) : reportText(report))
  if (verbose) for (const failure of failures) printStack(failure, hide)
  return exitCodeOfReport(report)
}
