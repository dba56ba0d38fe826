import { findPipelines } from '../../../run/find-pipelines.ts'
import { replay } from '../../../run/replay/replay.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { outputModeOf } from '../../progress/open-progress.ts'
import { accountsOf, selectOne } from '../stream-names.ts'
import { exitCodeOfReport, runAndReport } from '../sync/run-and-report.ts'

interface ReplayCommandOptions extends CommonOptions {
  readonly stream?: readonly string[]
  readonly account?: string
  readonly id?: readonly string[]
  readonly overwrite?: boolean
  readonly json?: boolean
}

/** `sluice rejects replay`: sends rejected records through their stages and into their table again. */
export async function rejectsReplayCommand(
  [word]: [string],
  { stream, account, id, overwrite = false, database, json = false }: ReplayCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { pipeline, streams } = selectOne(
    await findPipelines([word], accountsOf({ account, database }, context)),
    stream,
  )
  const mode = outputModeOf({ json })
  const report = await runAndReport(
    (hooks) => replay(pipeline, { ...hooks, signal: context.signal, database, streams, ids: id, overwrite }),
    // A replay is quick: its streams are not shown while it runs.
    { pipeline: pipeline.name, streams: [], mode },
    context,
  )
  if (report) return exitCodeOfReport(report)
  console.log(json ? 'null' : `${word}: there are no rejects to replay`)
  return 0
}
