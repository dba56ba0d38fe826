import { UsageError } from '../../../model/errors.ts'
import { keepDatabase } from '../../../run/open-store.ts'
import { diffPipeline } from '../../../run/verify/diff-pipeline.ts'
import type { DiffReport, StreamDiff } from '../../../run/verify/stream-diff.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { diffText } from '../../output/diff-text.ts'
import { rowsRead } from '../../output/rows-read.ts'
import { selectStreams } from '../stream-names.ts'
import { findAccounts, notStarted } from '../sync/run-accounts.ts'

export interface DiffCommandOptions extends CommonOptions {
  readonly stream?: readonly string[]
  readonly account?: readonly string[]
  readonly full?: boolean
  readonly json?: boolean
}

/** `sluice diff`: shows what the next run of one pipeline would change. */
export async function diffCommand(
  [word]: [string],
  options: DiffCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { full = false, database, json = false } = options
  const { signal, hide } = context
  const { found: all, failed } = await findAccounts([word], options, context)
  const found = selectStreams(all, options.stream)
  if (found.length === 0 && failed.length === 0) throw new UsageError('There is no pipeline. Give a name or a file')
  const code = Math.max(0, ...failed.map((error) => notStarted(error, {}, context)))
  await using _kept = found.length > 1 ? await keepDatabase({ database, signal }) : undefined
  const diffs: StreamDiff[] = []
  for (const { pipeline, streams } of found) {
    const onProgress = json ? undefined : rowsRead(pipeline.name)
    const more = await diffPipeline(pipeline, { full, database, streams: streams ?? [], onProgress, signal })
    diffs.push(...more)
    if (!json) for (const diff of more) console.log(hide(diffText(diff)))
  }
  const ok = code === 0 && diffs.every(({ status }) => status === 'done')
  if (json) console.log(JSON.stringify(hide({ ok, streams: diffs } satisfies DiffReport)))
  else console.log('Nothing was written.')
  return Math.max(code, ok ? 0 : 1)
}
