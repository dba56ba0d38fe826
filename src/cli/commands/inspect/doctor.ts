import { styleText } from 'node:util'
import type { DoctorFinding } from '../../../run/doctor/doctor-finding.ts'
import { examine } from '../../../run/doctor/doctor.ts'
import { tryPipelines } from '../../../run/find-pipelines.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { onOneLine } from '../../output/display-width.ts'
import { accountsOf } from '../stream-names.ts'

interface DoctorCommandOptions extends CommonOptions {
  readonly account?: readonly string[]
  readonly json?: boolean
}

/** `sluice doctor`: looks at everything, and says what to do. The exit code is 1 if there is a problem. */
export async function doctorCommand(
  [words]: [string[]],
  { database, account, json = false }: DoctorCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, hide } = context
  const findings: DoctorFinding[] = []
  const add = (finding: DoctorFinding): void => {
    const hidden = hide(finding)
    findings.push(hidden)
    if (!json) console.log(lineOf(hidden))
  }
  const { found, failed } = await tryPipelines(words, accountsOf({ account, database }, context))
  const streams = found.reduce((sum, { pipeline }) => sum + Object.keys(pipeline.streams).length, 0)
  const files = `${formatCount(found.length, 'pipeline')} with ${formatCount(streams, 'stream')}`
  if (found.length > 0 || failed.length === 0) add({ check: 'pipelines', type: 'ok', text: files })
  for (const { message } of failed) add({ check: 'pipelines', type: 'problem', text: message })
  for await (const finding of examine(found, { database, signal })) add(finding)
  const problems = findings.filter(({ type }) => type === 'problem').length
  if (json) console.log(JSON.stringify({ ok: problems === 0, findings }))
  else console.log(`\n${problems === 0 ? 'No problems found.' : `${formatCount(problems, 'problem')}.`}`)
  return problems === 0 ? 0 : 1
}

const MARKS = { ok: 'ok     ', note: 'note   ', problem: 'problem' } as const
const COLOURS = { ok: 'green', note: 'yellow', problem: 'red' } as const

const lineOf = ({ type, check, text }: DoctorFinding): string =>
  `${styleText(COLOURS[type], MARKS[type], { stream: process.stdout })}  ${check}: ${onOneLine(text)}`
