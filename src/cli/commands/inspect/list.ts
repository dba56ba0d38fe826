import { describePipeline } from '../../../define/describe.ts'
import { streamSentences } from '../../../define/describe-sentence.ts'
import type { Pipeline } from '../../../define/pipeline.ts'
import { scheduleText } from '../../../define/schedule/schedule.ts'
import { withoutAccount } from '../../../model/account.ts'
import { tryPipelines, type FoundPipeline } from '../../../run/find-pipelines.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { printError } from '../../output/print-error.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { wrapText } from '../../output/wrap-text.ts'
import { accountsOf } from '../stream-names.ts'
import { printTable } from '../../output/print-rows.ts'

/**
 * `sluice list`: shows the pipelines; with --verbose, each stream in detail. A file that does not load gives an error,
 * and the other pipelines are still shown.
 */
export async function listCommand(
  [words]: [string[]],
  { database, json = false }: CommonOptions & { readonly json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { verbose, hide } = context
  const { found: all, failed } = await tryPipelines(words, accountsOf({ database }, context))
  const found = byFile(all)
  if (json) console.log(JSON.stringify(found.map(asJson)))
  else if (verbose)
    console.log(found.map(({ pipeline, file, accounts }) => describe(pipeline, file, accounts)).join('\n\n'))
  else {
    const hasAccounts = found.some(({ accounts }) => accounts !== undefined)
    printTable(found.flatMap((one) => rowsOf(one, hasAccounts)))
  }
  return Math.max(0, ...failed.map((error) => printError(error, { verbose, hide })))
}

interface Listed extends FoundPipeline {
  /** The accounts of the pipeline that can run. @default it has none */
  readonly accounts?: readonly string[]
}

/** Returns each pipeline once: one of several accounts as that of its first account, under its own name. */
const byFile = (found: readonly FoundPipeline[]): Listed[] =>
  [...Map.groupBy(found, ({ pipeline }) => withoutAccount(pipeline.name))].flatMap(([name, [first, ...others]]) => {
    if (!first?.pipeline.account) return first ? [first] : []
    const accounts = [first, ...others].map(({ pipeline }) => pipeline.account?.name ?? '')
    return { ...first, pipeline: { ...first.pipeline, name }, accounts }
  })

function describe(pipeline: Pipeline, file: string, accounts: readonly string[] | undefined): string {
  const sentences = Object.entries(streamSentences(pipeline)).flatMap(([stream, text]) =>
    wrapText(`${stream} ${text}`, terminalWidth() - 4).map((line, index) =>
      index === 0 ? `  ${line}` : `    ${line}`,
    ),
  )
  const text = `${file}\n${sentences.join('\n')}\n\n${describePipeline(pipeline)}`
  return accounts ? `${text}\n  accounts: ${accounts.join(', ')} (shown: ${accounts[0]})` : text
}

const asJson = ({ pipeline, file, accounts }: Listed): Record<string, unknown> => ({
  pipeline: pipeline.name,
  ...(accounts && { accounts }),
  file,
  schedule: pipeline.schedule ?? null,
  streams: Object.entries(pipeline.streams).map(([stream, { table }]) => ({
    stream,
    table: table.name,
    write: table.write,
    key: table.key,
  })),
})

const rowsOf = ({ pipeline, file, accounts }: Listed, hasAccounts: boolean): Record<string, unknown>[] =>
  Object.entries(pipeline.streams).map(([stream, { table }]) => ({
    stream: `${pipeline.name}.${stream}`,
    table: table.name,
    write: table.write,
    key: [...(table.account ? [table.account.name] : []), ...table.key].join(', '),
    ...(hasAccounts && { accounts: accounts ? accountsText(accounts) : '' }),
    schedule: scheduleText(pipeline) ?? '',
    file,
  }))

/** Names that a line shows. */
const MAX_NAMES = 3

const accountsText = (accounts: readonly string[]): string =>
  `${accounts.length}: ${accounts.slice(0, MAX_NAMES).join(', ')}${accounts.length > MAX_NAMES ? ', …' : ''}`
