import { describePipeline } from '../../../define/describe.ts'
import { scheduleText } from '../../../define/schedule.ts'
import { tryPipelines } from '../../../run/find-pipelines.ts'
import type { CommandContext } from '../../execute-command.ts'
import { printTable } from '../../output/print-rows.ts'
import { printError } from '../../output/print-error.ts'

/**
 * `sluice list`: what there is, and with --verbose what it would do. A file that does not load is named, and the others
 * are shown all the same.
 */
export async function listCommand(
  [words]: [string[]],
  { json = false }: { readonly json?: boolean },
  { verbose, hide }: CommandContext,
): Promise<number> {
  const { found, failed } = await tryPipelines(words)
  if (json) {
    console.log(
      JSON.stringify(
        found.map(({ pipeline, file }) => ({
          pipeline: pipeline.name,
          file,
          schedule: pipeline.schedule ?? null,
          streams: Object.entries(pipeline.streams).map(([stream, { table }]) => ({
            stream,
            table: table.name,
            write: table.write,
            key: table.key,
          })),
        })),
      ),
    )
  } else if (verbose) {
    console.log(found.map(({ pipeline, file }) => `${file}\n${describePipeline(pipeline)}`).join('\n\n'))
  } else {
    printTable(
      found.flatMap(({ pipeline, file }) =>
        Object.entries(pipeline.streams).map(([stream, { table }]) => ({
          stream: `${pipeline.name}.${stream}`,
          table: table.name,
          write: table.write,
          key: table.key.join(', '),
          schedule: scheduleText(pipeline) ?? '',
          file,
        })),
      ),
    )
  }
  return Math.max(0, ...failed.map((fault) => printError(fault, { verbose, hide })))
}
