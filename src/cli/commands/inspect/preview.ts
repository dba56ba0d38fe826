import { UsageError } from '../../../model/errors.ts'
import { sample } from '../../../run/check/sample.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { formatCount, formatNumber } from '../../../value/format.ts'
import type { CommandContext } from '../../execute-command.ts'
import { printJsonLines, printRecords } from '../../output/print-rows.ts'
import { selectOne } from '../stream-names.ts'

interface PreviewOptions {
  readonly stream?: string
  readonly limit: number
  readonly since?: string
  readonly json?: boolean
}

/** `sluice preview`: shows the first rows of one stream. */
export async function previewCommand(
  [word]: [string],
  { stream, limit, since, json = false }: PreviewOptions,
  { signal, hide }: CommandContext,
): Promise<number> {
  const { pipeline, streams } = selectOne(await findPipelines([word]), stream === undefined ? undefined : [stream])
  const [name = '', ...others] = streams ?? Object.keys(pipeline.streams)
  const flow = pipeline.streams[name]
  if (!flow || others.length > 0)
    throw new UsageError(
      `${pipeline.name} has several streams: give one, as in sluice preview ${pipeline.name}.${name || 'stream'}`,
    )
  const { rows, rejects, counts, isWhole } = await sample(flow, { stream: name, limit, since, signal })
  if (json) printJsonLines(rows)
  else {
    printRecords(rows)
    console.log(
      `${formatCount(rows.length, 'row')}${isWhole ? ` (all ${word} has)` : ''}; ` +
        `${formatNumber(counts.fetched)} ${counts.fetched === 1 ? 'record was' : 'records were'} fetched, ` +
        'nothing was stored',
    )
  }
  for (const { stage, reason } of rejects) console.error(hide(`rejected by ${stage}: ${reason}`))
  return 0
}
