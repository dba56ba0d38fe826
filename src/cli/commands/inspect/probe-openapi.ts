import { UsageError } from '../../../model/errors.ts'
import { readSecrets } from '../../../observe/secrets.ts'
import { readAuth, readHeaders } from '../../../probe/auth-option.ts'
import { leftOutCounts, leftOutLines } from '../../../probe/openapi/left-out.ts'
import type { LeftOut } from '../../../probe/openapi/lists.ts'
import { loadDescription } from '../../../probe/openapi/load-description.ts'
import { readOpenApi } from '../../../probe/openapi/read-openapi.ts'
import { pipelineText, writePipeline } from '../../../probe/write-pipeline.ts'
import { defined } from '../../../value/defined.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext } from '../../execute-command.ts'
import { fileToWrite } from '../../init/module-type.ts'
import { onOneLine } from '../../output/display-width.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { listLines } from './description-lists.ts'

/** Options of `sluice probe --openapi`. */
export interface ProbeOpenApiOptions {
  /** Names of streams, or paths; one by one or with commas. */
  readonly only?: readonly string[]
  /** Values of parameters, as `owner=octocat`. */
  readonly set?: readonly string[]
  readonly list?: boolean
  /** Credentials, with secrets by the names of their variables. */
  readonly auth?: readonly string[]
  /** As `Name: value`. */
  readonly header?: readonly string[]
  /** With `list`: name all that was left out. */
  readonly verbose?: boolean
  readonly name?: string
  readonly out?: string
  readonly force?: boolean
}

/** Operations of one reason that are named without `--verbose`. */
const MOST_NAMED = 4

/** `sluice probe --openapi`: writes a pipeline file for an API that describes itself, and requests nothing of it. */
export async function probeOpenApi(
  place: string,
  options: ProbeOpenApiOptions,
  { signal, hide }: Pick<CommandContext, 'signal' | 'hide'>,
): Promise<number> {
  const { only, set = [], list = false, name, out, force = false, verbose = false } = options
  const given = new Map(set.map(parseSetting))
  const names = only?.flatMap((text) => text.split(',')).map((one) => one.trim())
  const secrets = readSecrets(process.env)
  const auth = (options.auth ?? []).map((text) => readAuth(text, secrets, { sends: false }))
  const headers = readHeaders(options.header ?? [])
  const description = await loadDescription(place, { signal })
  const { found, leftOut } = readOpenApi(description, { given, auth, headers, ...defined({ only: names, name }) })
  // What is copied out of a pipe must be whole.
  const width = process.stdout.isTTY ? terminalWidth() : Infinity
  if (list) {
    // With --only, a list that needs values was not chosen, or the reading has failed.
    const isListed = (one: LeftOut): boolean => only === undefined && one.needs !== undefined
    const others = leftOutCounts(
      leftOut.filter((one) => !isListed(one)),
      { most: MOST_NAMED, all: verbose },
    )
    const below = others.length === 0 ? [] : ['', `Left out${verbose ? '' : ' (--verbose names all)'}:`, ...others]
    console.log(
      hide([...listLines(found.streams, leftOut.filter(isListed), width), ...below].map(onOneLine).join('\n')),
    )
    return 0
  }
  const file = await fileToWrite(found.name, { out, force })
  await writePipeline(pipelineText(found), { file, force })
  const questions = [found, ...found.streams].flatMap((one) => one.questions ?? [])
  const asks = questions.length === 0 ? '' : ` with ${formatCount(questions.length, 'question')} (// QUESTION: …)`
  const hint = 'sluice probe --openapi … --list shows which lists need --set; with --verbose, all that was left out.'
  const others = leftOut.length === 0 ? [] : ['', ...leftOutLines(leftOut, MOST_NAMED), '', hint]
  const shown = [...listLines(found.streams, [], width), ...others].map(onOneLine).join('\n')
  console.log(hide(`${shown}\n\nWrote ${file}${asks}. Nothing was requested from the API.`))
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
