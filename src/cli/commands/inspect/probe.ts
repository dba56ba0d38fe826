import { pipelineText, writePipeline } from '../../../probe/write-pipeline.ts'
import { MAX_REQUESTS, type Answer } from '../../../probe/send.ts'
import { probe, type Fact } from '../../../probe/probe.ts'
import { givenName, nameFor, readTarget } from '../../../probe/target.ts'
import type { Found } from '../../../probe/found.ts'
import { readTwoPages } from '../../../run/check/read-two-pages.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { isPipelineFile } from '../../../run/pipeline-file.ts'
import { redactUrl } from '../../../observe/redact.ts'
import { readSecrets } from '../../../observe/secrets.ts'
import { UsageError } from '../../../model/errors.ts'
import { defined } from '../../../value/defined.ts'
import { messageOf } from '../../../value/error.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { fileToWrite } from '../../init/module-type.ts'
import { onOneLine } from '../../output/display-width.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { wrapText } from '../../output/wrap-text.ts'
import { probeOpenApi, type ProbeOpenApiOptions } from './probe-openapi.ts'

interface ProbeCommandOptions extends CommonOptions, ProbeOpenApiOptions {
  readonly openapi?: string
}

/** `sluice probe`: finds out what an API is like, writes a pipeline file, and reads two pages with it. */
export async function probeCommand(
  [url]: [string | undefined],
  options: ProbeCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { auth = [], header = [], out, force = false } = options
  const name = givenName(options)
  const { openapi, only, set, list } = options
  if (openapi !== undefined) {
    if (url !== undefined)
      throw new UsageError(`sluice probe --openapi requests nothing of the API. Leave out the URL ${redactUrl(url)}`)
    return probeOpenApi(openapi, { ...options, ...defined({ name }) }, context)
  }
  if (url === undefined) throw new UsageError('sluice probe: give the URL of a list, or --openapi with a description')
  if (only ?? set ?? list) throw new UsageError('sluice probe: --only, --set and --list are for --openapi')
  // Found out before anything is sent.
  const file = await fileToWrite(nameFor(readTarget(url), name), { out, force })
  const found = await askApi(url, { auth, header, name, otherwise: 'No file was written.' }, context)
  return found ? writeAndRead(found, { file, force }, context) : 1
}

interface AskOptions {
  readonly auth: readonly string[]
  readonly header: readonly string[]
  readonly name?: string | undefined
  /** Shown behind the reason if the API is of no use. */
  readonly otherwise: string
}

/**
 * Asks an API what it is like, and shows each request and what was found. Writes nothing. Returns undefined if the API
 * is of no use, and shows why.
 */
export async function askApi(
  url: string,
  { auth, header, name, otherwise }: AskOptions,
  { signal, hide }: Pick<CommandContext, 'signal' | 'hide'>,
): Promise<Found | undefined> {
  // Names and messages are the API's own: what controls a terminal is left out.
  const shown = (text: string): string => hide(text).split('\n').map(onOneLine).join('\n')
  const print = (text: string): void => console.log(shown(text))
  const { origin } = new URL(readTarget(url).base)
  print(`Asking ${origin}: at most ${MAX_REQUESTS} GET requests, one after the other. Then the file reads two pages.`)
  const { found, facts, problem } = await probe(url, {
    auth,
    headers: header,
    name,
    secrets: readSecrets(process.env),
    signal,
    onRequest: (number, sent) => print(`${number}  GET ${sent}`),
    onAnswer: (answer) => print(`   ${answerText(answer)}`),
    onRetry: (reason, ms) => print(`   ${reason}; again in ${(ms / 1_000).toFixed(1)} s`),
  })
  if (found) print(`\n${factsText(facts)}\n`)
  else console.error(shown(`\n${problem ?? 'Nothing was found.'} ${otherwise}`))
  return found
}

interface WriteOptions {
  readonly file: string
  /** Replaces a file that exists. @default false */
  readonly force?: boolean
  /** Another step follows: the next command is not named. @default true */
  readonly isLast?: boolean
}

/** Writes a pipeline file, reads two pages of its first stream, and shows what to do next. Returns the exit code. */
export async function writeAndRead(
  found: Found,
  { file, force = false, isLast = true }: WriteOptions,
  { signal, hide }: Pick<CommandContext, 'signal' | 'hide'>,
): Promise<number> {
  await writePipeline(pipelineText(found), { file, force })
  const questions = [found, ...found.streams].flatMap((one) => one.questions ?? [])
  const asks = questions.length === 0 ? '' : `, with ${formatCount(questions.length, 'question')} (// QUESTION: …)`
  console.log(`Wrote ${file}${asks}.`)
  for (const question of questions) console.log(hide(hanging('  ? ', question)))
  const [loaded] = await findPipelines([isPipelineFile(file) ? file : `./${file}`])
  const [flow] = Object.entries(loaded?.pipeline.streams ?? {})
  if (!loaded || !flow) return 0
  const [stream, { recipe, table }] = flow
  const mayEnd = found.streams[0]?.paging.type === 'one page'
  const { text, isFault } = await readTwoPages({ recipe, table }, { stream, mayEnd, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error
      return { text: messageOf(error), isFault: true }
    },
  )
  const read = hide(`Read it once, nothing was stored: ${text}`)
  if (isFault) {
    console.error(`${read}\nCorrect ${file}, then try it: npx sluice check ${loaded.pipeline.name}`)
    return 1
  }
  console.log(isLast ? `${read}\n\nNext:  npx sluice run ${loaded.pipeline.name}` : read)
  return 0
}

function answerText({ status, headers, error, body }: Answer): string {
  if (error !== undefined && status === 0) return error
  const type = headers['content-type']?.split(';', 1)[0]
  const size = Array.isArray(body) ? `, ${formatCount(body.length, 'item')}` : ''
  return `→ ${status}${type === undefined ? '' : ` ${type}`}${size}`
}

function factsText(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(({ label }) => label.length))
  return facts.map(({ label, text }) => hanging(`${label.padEnd(width)}  `, text)).join('\n')
}

/** Returns a text behind a label. On a terminal, further lines begin below the first one. */
function hanging(label: string, text: string): string {
  const [first = '', ...more] = wrapText(text, Math.max(20, terminalWidth() - label.length))
  return [label + first, ...more.map((line) => ' '.repeat(label.length) + line)].join('\n')
}
