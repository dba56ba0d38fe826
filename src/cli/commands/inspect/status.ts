import { styleText } from 'node:util'
import type { Duration } from '../../../model/request.ts'
import { tryPipelines, type FoundPipeline } from '../../../run/find-pipelines.ts'
import { readPipelineStatus } from '../../../run/status/status.ts'
import type { StatusFinding, StatusReport, StreamStatus } from '../../../run/status/stream-status.ts'
import { waitText } from '../../../run/status/waits.ts'
import { defined } from '../../../value/defined.ts'
import { formatBytes, formatCount, formatNumber } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { onOneLine } from '../../output/display-width.ts'
import { formatAge } from '../../output/format-time.ts'
import { printError } from '../../output/print-error.ts'
import { workText } from '../../output/work-text.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { textTable } from '../../output/text-table.ts'
import { wrapText } from '../../output/wrap-text.ts'
import { accountsOf } from '../stream-names.ts'

interface StatusCommandOptions extends CommonOptions {
  readonly account?: readonly string[]
  readonly grace?: Duration
  readonly json?: boolean
}

/** `sluice status`: shows the state of each stream, and problems. The exit code is 1 if there is a problem. */
export async function statusCommand(
  [words]: [string[]],
  { database, account, grace, json = false }: StatusCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, verbose, hide } = context
  const { found, failed } = await tryPipelines(words, accountsOf({ account, database }, context))
  const all = await readPipelineStatus(
    found.map(({ pipeline }) => pipeline),
    { database, signal, ...defined({ grace }) },
  )
  const report = selectedOf(all, found)
  if (json) console.log(JSON.stringify(hide(report)))
  else if (found.length > 0) show(hide(report))
  return Math.max(report.ok ? 0 : 1, ...failed.map((error) => printError(error, { verbose, hide })))
}

/** Returns the report without streams that were not named. */
function selectedOf(report: StatusReport, found: readonly FoundPipeline[]): StatusReport {
  const isSelected = ({ pipeline, stream }: { readonly pipeline: string; readonly stream?: string }): boolean => {
    const streams = found.find((one) => one.pipeline.name === pipeline)?.streams
    return streams === undefined || stream === undefined || streams.includes(stream)
  }
  const findings = report.findings.filter(isSelected)
  const streams = report.streams.filter(isSelected)
  return { ...report, streams, findings, ok: !findings.some(({ isFault }) => isFault) }
}

function show({ streams, findings, waits, work, at, ledger }: StatusReport): void {
  const width = terminalWidth()
  const now = Date.parse(at)
  console.log(
    textTable(
      streams.map((stream) => rowOf(stream, now)),
      // The proof of completeness stays.
      { width, optional: ['next run', 'cursor', 'newest record', 'last read'] },
    ),
  )
  // A wait that is not in the findings was asked of a run that is not known.
  const others = waits.filter(({ source }) => !source)
  if (findings.length + others.length > 0) console.log()
  for (const finding of findings) console.log(findingText(finding, width))
  for (const wait of others) console.log(noteText(`${waitText(wait, wait.until)}. See: sluice limits`, width))
  if (work) {
    const { table, notes } = workText(work, { now, width })
    console.log(`\n${table}`)
    if (notes.length > 0) console.log()
    for (const note of notes) console.log(noteText(note, width))
  }
  const problems = findings.filter(({ isFault }) => isFault).length
  const found = problems === 0 ? 'no problems' : formatCount(problems, 'problem')
  const size = ledger ? ` The ledger takes ${formatBytes(ledger.bytes)}.` : ''
  console.log(`\n${formatCount(streams.length, 'stream')}, ${found}.${size}`)
}

function rowOf(
  { pipeline, stream, state, lastSuccess, completeness, cursor, runs, rejects, next, paused }: StreamStatus,
  now: number,
): Record<string, unknown> {
  return {
    stream: `${pipeline}.${stream}`,
    'last run': paused ? 'paused' : lastState(state, runs),
    'last success': lastSuccess ? `${formatAge(lastSuccess.ageMs)} ago` : 'never',
    complete: completeness?.grade ?? '',
    cursor: cursor?.value ?? '',
    // The time of the newest record says how old the data is, not that the stream is late.
    'newest record': cursor?.ageMs === undefined ? '' : `${formatAge(cursor.ageMs)} old`,
    // The newest run first.
    'last read': runs
      .slice(0, 3)
      .map(({ read }) => formatNumber(read))
      .join(' '),
    rejects,
    'next run': next === undefined ? '' : `in ${formatAge(Date.parse(next) - now)}`,
  }
}

const lastState = (state: StreamStatus['state'], [last]: StreamStatus['runs']): string =>
  state === 'done' && last?.completeness?.grade === 'open' ? 'open' : state

const MARK_WIDTH = 9

function findingText({ isFault, pipeline, stream, message }: StatusFinding, width: number): string {
  const name = stream === undefined ? pipeline : `${pipeline}.${stream}`
  const mark = isFault ? styleText('red', 'problem', { stream: process.stdout }) : NOTE
  return noteText(`${name}: ${message}`, width, mark)
}

const NOTE = 'note   '

function noteText(text: string, width: number, mark = NOTE): string {
  const lines = wrapText(onOneLine(text), Math.max(20, width - MARK_WIDTH))
  return `${mark}  ${lines.join(`\n${' '.repeat(MARK_WIDTH)}`)}`
}
