import type { Report, StreamReport } from '../model/report.ts'

/** A report for people: a table of streams, then what went wrong. Plain text, no colours, within 100 columns. */
export function reportText(report: Report): string {
  const names = Object.keys(report.streams)
  const width = Math.max(6, ...names.map((name) => name.length))
  const rows = names.map((name) => streamLines(name.padEnd(width), report.streams[name]!))
  const head = `${'stream'.padEnd(width)}  ${columns.map(([title, size]) => title.padStart(size)).join('  ')}`
  return [head, ...rows.flat(), '', summary(report)].join('\n')
}

const columns: readonly (readonly [title: string, size: number, of: (stream: StreamReport) => number])[] = [
  ['fetched', 9, ({ counts }) => counts.fetched],
  ['inserted', 9, ({ counts }) => counts.inserted],
  ['updated', 8, ({ counts }) => counts.updated],
  ['unchanged', 9, ({ counts }) => counts.unchanged],
  ['filtered', 8, ({ counts }) => counts.filtered],
  ['duplicate', 9, ({ counts }) => counts.duplicate],
  ['rejected', 8, ({ counts }) => counts.rejected],
]

function streamLines(name: string, stream: StreamReport): string[] {
  const numbers = columns.map(([, size, of]) => number(of(stream)).padStart(size)).join('  ')
  const indent = ' '.repeat(name.length + 2)
  const lines = [`${name}  ${numbers}`]
  const from = stream.status === 'not run' ? 'not run' : stream.resumed ? 'took up an interrupted reading' : stream.since === undefined ? 'read from the start' : `incremental since ${stream.since}`
  const details = [
    from,
    stream.cursor !== undefined && stream.cursor !== stream.since && `cursor ${stream.cursor}`,
    `${number(stream.requests)} requests`,
    stream.retries > 0 && `${number(stream.retries)} retries`,
    stream.waitMs >= 100 && `waited ${seconds(stream.waitMs)} for the API's limits`,
    stream.counts.expanded > 0 && `${number(stream.counts.expanded)} expanded`,
    stream.counts.parents > 0 && `${number(stream.counts.parents)} parents read`,
  ]
  lines.push(indent + details.filter(Boolean).join(', '))
  if (stream.swap) lines.push(`${indent}replaced: ${number(stream.swap.inserted)} inserted, ${number(stream.swap.updated)} updated, ${number(stream.swap.deleted)} deleted in ${stream.table}`)
  for (const warning of stream.warnings) lines.push(`${indent}warning: ${warning}`)
  if (stream.error !== undefined) lines.push(`${indent}FAILED: ${stream.error}`)
  return lines
}

function summary({ pipeline, status, ms, rowsPerSecond, walBytes, peakMemoryBytes, streams }: Report): string {
  const failed = Object.entries(streams).filter(([, stream]) => stream.status === 'failed').map(([name]) => name)
  const outcome = status === 'done' ? 'done' : status === 'interrupted' ? 'interrupted; what was whole is committed, and the next run goes on from there' : `failed (${failed.join(', ')})`
  const facts = [seconds(ms), `${number(Math.round(rowsPerSecond))} rows/s`, walBytes !== undefined && `${bytes(walBytes)} of WAL`, `${bytes(peakMemoryBytes)} peak memory`]
  return `${pipeline}: ${outcome} in ${facts.filter(Boolean).join(', ')}`
}

const number = (value: number): string => value.toLocaleString('en-US')
const seconds = (ms: number): string => (ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`)
const bytes = (value: number): string => (value < 1_048_576 ? `${Math.round(value / 1_024)} kB` : `${Math.round(value / 1_048_576)} MB`)
