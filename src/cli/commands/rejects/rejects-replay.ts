import { findPipelines } from '../../../run/find-pipelines.ts'
import { replay } from '../../../run/replay/replay.ts'
import { reportText } from '../../../run/report/report-text.ts'
import type { CommonOptions, Terms } from '../../execute-command.ts'
import { showingOf } from '../../progress/open-progress.ts'
import { eventLog } from '../../progress/event-log.ts'
import { tellStack } from '../../output/print-error.ts'
import { codeOf, withStreams } from '../run.ts'

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
  { signal, verbose, hide }: Terms,
): Promise<number> {
  const [found] = withStreams(await findPipelines([word]), stream)
  const { pipeline, streams } = found!
  const showing = showingOf({ json })
  const failures: unknown[] = []
  const log = showing === 'events' ? eventLog(pipeline.name, process.stdout, { verbose }) : undefined
  const report = await replay(pipeline, {
    signal,
    database,
    streams,
    ids: id,
    overwrite,
    ...(log && { on: log.on }),
    failed: (_, error) => failures.push(error),
  })
  if (!report) {
    if (showing === 'json') console.log('null')
    else if (!log) console.log(`${word}: there is nothing to replay`)
    return 0
  }
  if (log) log.report(report)
  else console.log(showing === 'json' ? JSON.stringify(report) : reportText(report))
  if (verbose) for (const failure of failures) tellStack(failure, hide)
  return codeOf(report)
}
