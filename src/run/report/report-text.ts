import type { Report, StreamReport } from '../../model/report.ts'

/**
 * A report for people: a table of streams, then what went wrong. Plain text, no colours, 80 columns where names are not
 * long.
 */
export function reportText(report: Report): string {
  const names = Object.keys(report.streams)
  const width = Math.max(6, ...names.map((name) => name.length))
  const rows = names.map((name) => streamLines(name.padEnd(width), report.streams[name]!, report.kind))
  const head = `${'stream'.padEnd(width)} ${columns.map(([title, size]) => title.padStart(size)).join(' ')}`
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

function streamLines(name: string, stream: StreamReport, kind: Report['kind']): string[] {
  const numbers = columns.map(([, size, of]) => number(of(stream)).padStart(size)).join(' ')
  const indent = ' '.repeat(name.length + 2)
  const lines = [`${name} ${numbers}`]
  const details = [
    beginning(stream, kind),
    ...windowsText(stream),
    stream.cursor !== undefined &&
      stream.cursor !== stream.since &&
      `${stream.status === 'done' ? 'cursor' : 'read up to'} ${stream.cursor}`,
    counted(stream.requests, 'request'),
    stream.retries > 0 && counted(stream.retries, 'retry', 'retries'),
    stream.waitMs >= 100 && `waited ${seconds(stream.waitMs)} for the API's limits`,
    stream.counts.expanded > 0 && `${number(stream.counts.expanded)} expanded`,
    stream.counts.parents > 0 && `${counted(stream.counts.parents, 'parent')} read`,
  ]
  lines.push(
    ...wrapped(
      details.filter((detail) => detail !== false),
      80 - indent.length,
    ).map((line) => indent + line),
  )
  if (stream.swap)
    lines.push(
      `${indent}replaced: ${number(stream.swap.inserted)} inserted, ${number(stream.swap.updated)} updated, ${number(stream.swap.deleted)} deleted in ${stream.table}`,
    )
  for (const warning of stream.warnings) lines.push(`${indent}warning: ${warning}`)
  if (stream.counts.rejected > 0)
    lines.push(`${indent}rejected: sluice rejects list tells why, sluice rejects replay sends them again`)
  if (stream.error !== undefined) lines.push(`${indent}FAILED: ${stream.error}`)
  return lines
}

function beginning(stream: StreamReport, kind: Report['kind']): string {
  const { status, resumed, since } = stream
  if (status === 'not run') return 'not run'
  if (kind === 'replay') return 'sent again what was rejected'
  if (kind === 'backfill')
    return stream.backfill ? `backfill ${stream.backfill.id}${resumed ? ' went on' : ''}` : 'not begun'
  return resumed
    ? 'took up an interrupted reading'
    : since === undefined
      ? 'read from the start'
      : `incremental since ${since}`
}

/** What has become of a backfill's windows. */
function windowsText({ backfill }: StreamReport): string[] {
  if (!backfill) return []
  const {
    from,
    to,
    window,
    zone,
    windows: { total, done, failed, skipped, open },
  } = backfill
  const rest = [
    failed > 0 && `${number(failed)} failed`,
    skipped > 0 && `${number(skipped)} left out`,
    open > 0 && `${number(open)} open`,
  ]
  return [
    `${from} to ${to}`,
    `${number(done)} of ${counted(total, 'window')} of ${window}${zone === 'UTC' ? '' : ` in ${zone}`} done`,
    ...rest.filter((part) => part !== false),
  ]
}

/** Parts joined by commas, in lines of some width. */
function wrapped(parts: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && `${last}, ${part},`.length <= width) lines[lines.length - 1] = `${last}, ${part}`
    else lines.push(part)
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line},` : line))
}

function summary({ pipeline, status, ms, rowsPerSecond, walBytes, peakMemoryBytes, streams }: Report): string {
  const failed = Object.entries(streams)
    .filter(([, stream]) => stream.status === 'failed')
    .map(([name]) => name)
  const outcome = { done: 'done in', interrupted: 'interrupted after', failed: `failed (${failed.join(', ')}) after` }[
    status
  ]
  const facts = [
    `${pipeline}: ${outcome} ${seconds(ms)}`,
    `${number(Math.round(rowsPerSecond))} rows/s`,
    walBytes !== undefined && `${bytes(walBytes)} of WAL`,
    `${bytes(peakMemoryBytes)} peak memory`,
  ]
  const after = {
    done: [],
    interrupted: ['What was whole is committed; the next run goes on from there.'],
    failed: ['What was whole is committed; once it is mended, the next run goes on from there.'],
  }[status]
  return [
    ...wrapped(
      facts.filter((fact) => fact !== false),
      80,
    ),
    ...after,
  ].join('\n')
}

const number = (value: number): string => value.toLocaleString('en-US')
const counted = (value: number, one: string, several = `${one}s`): string =>
  `${number(value)} ${value === 1 ? one : several}`
const seconds = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
const bytes = (value: number): string =>
  value < 1_048_576 ? `${Math.round(value / 1_024)} kB` : `${Math.round(value / 1_048_576)} MB`
