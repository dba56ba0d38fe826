import { UsageError } from '../../../model/errors.ts'
import { keepDatabase } from '../../../run/open-store.ts'
import type { VerifyOptions } from '../../../run/verify/options.ts'
import { isVerified, type StreamVerification, type VerifyReport } from '../../../run/verify/verification.ts'
import { verifyPipeline } from '../../../run/verify/verify-pipeline.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { rowsRead } from '../../output/rows-read.ts'
import { verificationText } from '../../output/verification-text.ts'
import { selectStreams } from '../stream-names.ts'
import { findAccounts, notStarted } from './run-accounts.ts'

export interface VerifyCommandOptions
  extends CommonOptions, Pick<VerifyOptions, 'from' | 'to' | 'window' | 'zone' | 'repair'> {
  readonly stream?: readonly string[]
  readonly account?: readonly string[]
  readonly json?: boolean
}

/** `sluice verify`: compares the streams of one pipeline with their tables, and repairs them on request. */
export async function verifyCommand(
  [word]: [string],
  options: VerifyCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { from, to, window, zone, repair = false, database, json = false } = options
  const range = { from, to, window, zone }
  const { signal, hide } = context
  const { found: all, failed } = await findAccounts([word], options, context)
  const found = selectStreams(all, options.stream)
  if (found.length === 0 && failed.length === 0) throw new UsageError('There is no pipeline. Give a name or a file')
  let code = Math.max(0, ...failed.map((error) => notStarted(error, {}, context)))
  await using _kept = found.length > 1 ? await keepDatabase({ database, signal }) : undefined
  const verified: StreamVerification[] = []
  for (const { pipeline, streams } of found) {
    const more = await verifyPipeline(pipeline, {
      ...range,
      repair,
      database,
      streams: streams ?? [],
      onProgress: json ? undefined : rowsRead(pipeline.name),
      signal,
    })
    verified.push(...more)
    if (!json) for (const stream of more) console.log(hide(verificationText(stream)))
  }
  const ok = isVerified(verified) && failed.length === 0
  if (json) console.log(JSON.stringify(hide({ ok, streams: verified } satisfies VerifyReport)))
  code = Math.max(code, ok ? 0 : 1)
  return code
}
