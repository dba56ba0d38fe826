import { styleText } from 'node:util'
import { checkPipelines, type Finding } from '../../../run/check/check.ts'
import { tryPipelines } from '../../../run/find-pipelines.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { excerptFor, printStack } from '../../output/print-error.ts'
import { accountsOf } from '../stream-names.ts'

interface CheckCommandOptions extends CommonOptions {
  readonly account?: readonly string[]
  readonly offline?: boolean
  readonly json?: boolean
}

/** `sluice check`: runs all checks, and shows each problem with its location and what to do. */
export async function checkCommand(
  [words]: [string[]],
  { database, account, offline = false, json = false }: CheckCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, verbose, hide } = context
  const { found, failed } = await tryPipelines(words, accountsOf({ account, database }, context))
  const files: ShownFinding[] = [
    ...found.map(({ pipeline, file }) => ({
      location: pipeline.name,
      isFault: false,
      text: `${file}, ${formatCount(Object.keys(pipeline.streams).length, 'stream')}`,
    })),
    ...failed.map((error) => ({
      location: 'pipelines',
      isFault: true,
      text: hide(error.message),
      excerpt: excerptFor(error),
    })),
  ]
  const findings: ShownFinding[] = [...files, ...(await checkPipelines(found, { database, offline, signal }))]
  if (json)
    console.log(
      JSON.stringify(
        findings.map(({ location, isFault, isAdvice, text }) => ({
          location,
          ok: !isFault,
          ...(isAdvice && { advice: true }),
          text: hide(text),
        })),
      ),
    )
  else show(findings, hide)
  if (verbose) for (const error of failed) printStack(error, hide)
  return findings.some(({ isFault }) => isFault) ? 1 : 0
}

/** A finding, and the line of a pipeline file that it comes from. */
interface ShownFinding extends Finding {
  readonly excerpt?: string | undefined
}

function show(findings: readonly ShownFinding[], hide: CommandContext['hide']): void {
  for (const finding of findings) {
    console.log(`${markOf(finding)}  ${finding.location}: ${hide(finding.text)}`)
    if (finding.excerpt !== undefined) console.log(hide(`\n${finding.excerpt}\n`))
  }
  const problems = findings.filter(({ isFault }) => isFault).length
  console.log(`\n${problems === 0 ? 'No problems found.' : `${formatCount(problems, 'problem')}.`}`)
}

function markOf({ isFault, isAdvice }: Finding): string {
  const stream = process.stdout
  if (isFault) return styleText('red', 'problem', { stream })
  return isAdvice ? styleText('yellow', 'advice ', { stream }) : styleText('green', 'ok     ', { stream })
}
