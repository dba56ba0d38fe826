import { styleText } from 'node:util'
import { duration } from '../../../value/duration.ts'
import { UsageError } from '../../../model/errors.ts'
import type { Duration } from '../../../model/request.ts'
import { tryPipelines } from '../../../run/find-pipelines.ts'
import { readStatus } from '../../../run/status/status.ts'
import type { StatusFinding, StatusReport, StreamStatus } from '../../../run/status/stream-status.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { onOneLine } from '../../output/display-width.ts'
import { formatNumber } from '../../../value/format.ts'
import { formatAge } from '../../output/format-time.ts'
import { printError } from '../../output/print-error.ts'
import { textTable } from '../../output/text-table.ts'
import { wrapText } from '../../output/wrap-text.ts'

interface StatusCommandOptions extends CommonOptions {
  readonly grace?: string
  readonly json?: boolean
}

/** `sluice status`: how each stream is, and what is wrong; 1 where something is. */
export async function statusCommand(
  [words]: [string[]],
  { database, grace, json = false }: StatusCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const { found, failed } = await tryPipelines(words)
  const report = onlyOf(
    await readStatus(
      found.map(({ pipeline }) => pipeline),
      { database, signal, ...(grace !== undefined && { grace: graceOf(grace) }) },
    ),
    found,
  )
  if (json) console.log(JSON.stringify(hide(report)))
  else if (found.length > 0) show(hide(report))
  return Math.max(report.ok ? 0 : 1, ...failed.map((fault) => printError(fault, { verbose, hide })))
}

/** The streams that were named, where not all were. */
function onlyOf(report: StatusReport, found: Awaited<ReturnType<typeof tryPipelines>>['found']): StatusReport {
  const isAsked = ({ pipeline, stream }: { readonly pipeline: string; readonly stream?: string }): boolean => {
    const streams = found.find((one) => one.pipeline.name === pipeline)?.streams
    return streams === undefined || stream === undefined || streams.includes(stream)
  }
  const findings = report.findings.filter(isAsked)
  return { ...report, streams: report.streams.filter(isAsked), findings, ok: !findings.some(({ isFault }) => isFault) }
}

function show({ streams, findings, at }: StatusReport): void {
  const width = process.stdout.isTTY ? process.stdout.columns : 80
  const now = Date.parse(at)
  console.log(
    textTable(
      streams.map((stream) => rowOf(stream, now)),
      { width, optional: ['next', 'cursor'] },
    ),
  )
  if (findings.length > 0) console.log()
  for (const finding of findings) console.log(findingText(finding, width))
  const faults = findings.filter(({ isFault }) => isFault).length
  console.log(
    `\n${faults === 0 ? `${counted(streams.length, 'stream')}, nothing is wrong.` : `${counted(streams.length, 'stream')}, ${counted(faults, 'fault')}.`}`,
  )
}

function rowOf(
  { pipeline, stream, state, lastSuccess, cursor, runs, rejects, next }: StreamStatus,
  now: number,
): Record<string, unknown> {
  return {
    stream: `${pipeline}.${stream}`,
    state,
    success: lastSuccess ? `${formatAge(lastSuccess.ageMs)} ago` : 'never',
    cursor: cursor?.value ?? '',
    behind: cursor?.ageMs === undefined ? '' : formatAge(cursor.ageMs),
    // The newest first.
    'last read': runs
      .slice(0, 3)
      .map(({ read }) => formatNumber(read))
      .join(' '),
    rejects,
    next: next === undefined ? '' : `in ${formatAge(Date.parse(next) - now)}`,
  }
}

function findingText({ isFault, pipeline, stream, message }: StatusFinding, width: number): string {
  const [first = '', ...rest] = wrapText(
    onOneLine(`${stream === undefined ? pipeline : `${pipeline}.${stream}`}: ${message}`),
    Math.max(20, width - 7),
  )
  const mark = isFault ? styleText('red', 'fault ', { stream: process.stdout }) : 'note  '
  return [`${mark} ${first}`, ...rest.map((line) => `       ${line}`)].join('\n')
}

const counted = (value: number, what: string): string => `${formatNumber(value)} ${value === 1 ? what : `${what}s`}`

function graceOf(text: string): Duration {
  try {
    duration(text)
    return text as Duration
  } catch (error) {
    throw new UsageError(`--grace: ${(error as Error).message}`, { cause: error })
  }
}
