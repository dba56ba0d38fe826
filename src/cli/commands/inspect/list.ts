import { describePipeline } from '../../../define/describe.ts'
import { scheduleText } from '../../../define/schedule/schedule.ts'
import { tryPipelines, type FoundPipeline } from '../../../run/find-pipelines.ts'
import type { CommandContext } from '../../execute-command.ts'
import { printError } from '../../output/print-error.ts'
import { printTable } from '../../output/print-rows.ts'

/**
 * `sluice list`: shows the pipelines; with --verbose, each stream in detail. A file that does not load gives an error,
 * and the other pipelines are still shown.
 */
export async function listCommand(
  [words]: [string[]],
  { json = false }: { readonly json?: boolean },
  { verbose, hide }: CommandContext,
): Promise<number> {
  const { found, failed } = await tryPipelines(words)
  if (json) console.log(JSON.stringify(found.map(asJson)))
  else if (verbose)
    console.log(found.map(({ pipeline, file }) => `${file}\n${describePipeline(pipeline)}`).join('\n\n'))
  else printTable(found.flatMap(rowsOf))
  return Math.max(0, ...failed.map((error) => printError(error, { verbose, hide })))
}

const asJson = ({ pipeline, file }: FoundPipeline): Record<string, unknown> => ({
  pipeline: pipeline.name,
  file,
  schedule: pipeline.schedule ?? null,
  streams: Object.entries(pipeline.streams).map(([stream, { table }]) => ({
    stream,
    table: table.name,
    write: table.write,
    key: table.key,
  })),
})

const rowsOf = ({ pipeline, file }: FoundPipeline): Record<string, unknown>[] =>
  Object.entries(pipeline.streams).map(([stream, { table }]) => ({
    stream: `${pipeline.name}.${stream}`,
    table: table.name,
    write: table.write,
    key: table.key.join(', '),
    schedule: scheduleText(pipeline) ?? '',
    file,
  }))
