import { UsageError } from '../../../model/errors.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { sample } from '../../../run/check/sample.ts'
import type { CommandContext } from '../../execute-command.ts'
import { formatNumber } from '../../../value/format.ts'
import { printJsonLines, printTable } from '../../output/print-rows.ts'
import { withStreams } from '../sync/run.ts'

interface PreviewOptions {
  readonly stream?: string
  readonly limit: number
  readonly since?: string
  readonly json?: boolean
}

/** `sluice preview`: the first rows of one stream. */
export async function previewCommand(
  [word]: [string],
  { stream, limit, since, json = false }: PreviewOptions,
  { signal, hide }: CommandContext,
): Promise<number> {
  const [found] = withStreams(await findPipelines([word]), stream === undefined ? undefined : [stream])
  const { pipeline, streams = Object.keys(pipeline.streams) } = found!
  const [name, ...others] = streams
  if (name === undefined || others.length > 0)
    throw new UsageError(
      `${pipeline.name} has several streams: name one, as in sluice preview ${pipeline.name}.${name ?? 'stream'}`,
    )
  const { rows, rejects, counts, isWhole } = await sample(pipeline.streams[name]!, {
    stream: name,
    limit,
    since,
    signal,
  })
  if (json) printJsonLines(rows)
  else {
    printTable(
      rows.map((row) => (typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : { value: row })),
    )
    console.log(
      `${formatNumber(rows.length)} rows${isWhole ? ', which is all there is' : ''}; ${formatNumber(counts.fetched)} records were fetched, nothing was stored`,
    )
  }
  for (const { stage, reason } of rejects) console.error(hide(`rejected by ${stage}: ${reason}`))
  return 0
}
