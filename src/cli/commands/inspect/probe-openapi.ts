import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../../../model/errors.ts'
import type { Found } from '../../../probe/found.ts'
import { leftOutLines } from '../../../probe/openapi/left-out.ts'
import { loadDescription } from '../../../probe/openapi/load-description.ts'
import { type DescriptionRead, readOpenApi } from '../../../probe/openapi/read-openapi.ts'
import { pagingText } from '../../../probe/write/write-paging.ts'
import { existingFile, pipelineText, writePipeline } from '../../../probe/write-pipeline.ts'
import { defined } from '../../../value/defined.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext } from '../../execute-command.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { textTable } from '../../output/text-table.ts'

/** Options of `sluice probe --openapi`. */
export interface ProbeOpenApiOptions {
  /** Names of streams, or paths; one by one or with commas. */
  readonly only?: readonly string[]
  /** Values of parameters, as `owner=octocat`. */
  readonly set?: readonly string[]
  readonly list?: boolean
  readonly name?: string
  readonly out?: string
  readonly force?: boolean
}

/** Operations of one reason that are named without `--list`. */
const MOST_NAMED = 4

/** `sluice probe --openapi`: writes a pipeline file for an API that describes itself, and requests nothing of it. */
export async function probeOpenApi(
  place: string,
  { only, set = [], list = false, name, out, force = false }: ProbeOpenApiOptions,
  { signal, hide }: Pick<CommandContext, 'signal' | 'hide'>,
): Promise<number> {
  const given = new Map(set.map(parseSetting))
  const names = only?.flatMap((text) => text.split(',')).map((one) => one.trim())
  const description = await loadDescription(place, { signal })
  const read = readOpenApi(description, { given, ...defined({ only: names, name }) })
  const { found, leftOut } = read
  if (list) {
    console.log(hide(listText(read, Infinity)))
    return 0
  }
  const file = out ?? join('pipelines', `${found.name}.ts`)
  if (!force && existsSync(file)) throw existingFile(file)
  await writePipeline(pipelineText(found), { file, force })
  const questions = [found, ...found.streams].flatMap((one) => one.questions ?? [])
  const asks = questions.length === 0 ? '' : ` with ${formatCount(questions.length, 'question')} (// QUESTION: …)`
  const all = leftOut.length === 0 ? '' : '\n\n--list names all that was left out.'
  console.log(hide(`${listText(read, MOST_NAMED)}${all}\n\nWrote ${file}${asks}. Nothing was requested from the API.`))
  for (const question of found.questions ?? []) console.log(hide(`  ? ${question}`))
  console.log(`\nNext:  npx sluice check ${found.name}`)
  return 0
}

function parseSetting(text: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new UsageError(`--set ${text}: give the name of a parameter and its value, as in --set owner=octocat`)
  return [name.trim(), value]
}

function listText({ found, leftOut }: DescriptionRead, most: number): string {
  const table = textTable(found.streams.map(rowOf), { width: terminalWidth() })
  const lines = leftOutLines(leftOut, most)
  return [table, ...(lines.length > 0 ? ['', ...lines] : [])].join('\n')
}

const rowOf = ({ name, path, paging, key }: Found['streams'][number]): Record<string, string> => ({
  stream: name,
  path,
  paging: pagingText(paging),
  key: key.join(', '),
})
