import { styleText } from 'node:util'
import { checkPipelines, type Finding } from '../../../run/check/check.ts'
import { tryPipelines } from '../../../run/find-pipelines.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { printStack } from '../../output/print-error.ts'

interface CheckCommandOptions extends CommonOptions {
  readonly offline?: boolean
  readonly json?: boolean
}

/** `sluice check`: every fault at once, each with its place and what to do. */
export async function checkCommand(
  [words]: [string[]],
  { database, offline = false, json = false }: CheckCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const { found, failed } = await tryPipelines(words)
  const files: Finding[] = [
    ...found.map(({ pipeline, file }) => ({
      location: pipeline.name,
      isFault: false,
      text: `${file}, ${streamsText(Object.keys(pipeline.streams).length)}`,
    })),
    ...failed.map((fault) => ({ location: 'pipelines', isFault: true, text: hide(fault.message) })),
  ]
  const findings = [...files, ...(await checkPipelines(found, { database, offline, signal }))]
  if (json)
    console.log(
      JSON.stringify(findings.map(({ location, isFault, text }) => ({ location, ok: !isFault, text: hide(text) }))),
    )
  else show(findings, hide)
  if (verbose) for (const fault of failed) printStack(fault, hide)
  return findings.some(({ isFault }) => isFault) ? 1 : 0
}

const streamsText = (count: number): string => `${count} ${count === 1 ? 'stream' : 'streams'}`

function show(findings: readonly Finding[], hide: CommandContext['hide']): void {
  for (const { location, isFault, text } of findings) {
    const mark = isFault
      ? styleText('red', 'fault', { stream: process.stdout })
      : styleText('green', 'ok   ', { stream: process.stdout })
    console.log(`${mark}  ${location}: ${hide(text)}`)
  }
  const faults = findings.filter(({ isFault }) => isFault).length
  console.log(faults === 0 ? '\nEverything is in order.' : `\n${faults} ${faults === 1 ? 'fault' : 'faults'}.`)
}
