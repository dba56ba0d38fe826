import { formatBytes, formatCount, formatNumber, formatSeconds } from '../../value/format.ts'
import type { Report, StreamReceipt, StreamReport } from '../../model/report.ts'
import { openStreams } from '../../model/open-streams.ts'

/**
 * Lays out a report as plain text: a table of streams, then problems. Details are wrapped at the width.
 *
 * @example
 * console.log(reportText(await run(billing)))
 */
export function reportText(report: Report, { width: lineWidth = 80 }: { readonly width?: number } = {}): string {
  const streams = Object.entries(report.streams)
  const width = Math.max(6, ...streams.map(([name]) => name.length))
  // A stream with a cursor has no reading of everything in most runs.
  const kept = streams.find(([, stream]) => stream.keptRows && stream.cursor === undefined)?.[0]
  const rows = streams.flatMap(([name, stream]) => {
    const lines = streamLines(name.padEnd(width), stream, report.kind, lineWidth)
    return name === kept ? [...lines, `${' '.repeat(width + 2)}mirror: true would delete kept rows`] : lines
  })
  const head = `${'stream'.padEnd(width)} ${COLUMNS.map(([title, size]) => title.padStart(size)).join(' ')}`
  return [head, ...rows, '', summary(report, lineWidth)].join('\n')
}

const COLUMNS: readonly (readonly [title: string, size: number, of: (stream: StreamReport) => number])[] = [
  ['fetched', 9, ({ counts }) => counts.fetched],
  ['inserted', 9, ({ counts }) => counts.inserted],
  ['updated', 8, ({ counts }) => counts.updated],
  ['unchanged', 9, ({ counts }) => counts.unchanged],
  ['filtered', 8, ({ counts }) => counts.filtered],
  ['duplicate', 9, ({ counts }) => counts.duplicate],
  ['rejected', 8, ({ counts }) => counts.rejected],
]

function streamLines(name: string, stream: StreamReport, kind: Report['kind'], width: number): string[] {
  const numbers = COLUMNS.map(([, size, of]) => formatNumber(of(stream)).padStart(size)).join(' ')
  const indent = ' '.repeat(name.length + 2)
  const lines = [`${name} ${numbers}`]
  const details = [
    startText(stream, kind),
    ...windowsText(stream),
    ...(stream.completeness ? [stream.completeness.grade] : []),
    stream.cursor !== undefined &&
      stream.cursor !== stream.since &&
      `${stream.status === 'done' ? 'cursor' : 'read up to'} ${stream.cursor}`,
    formatCount(stream.requests, 'request'),
    stream.retries > 0 && formatCount(stream.retries, 'retry', 'retries'),
    stream.skipped !== undefined && `${formatCount(stream.skipped, 'response')} left out by rules`,
    stream.waitMs >= 100 && `waited ${formatSeconds(stream.waitMs)} for the API's limits`,
    stream.counts.expanded > 0 && `${formatNumber(stream.counts.expanded)} expanded`,
    stream.counts.parents > 0 && `${formatCount(stream.counts.parents, 'parent')} read`,
  ]
  lines.push(
    ...wrapped(
      details.filter((detail) => detail !== false),
      width - indent.length,
    ).map((line) => indent + line),
  )
  if (stream.swap)
    lines.push(
      `${indent}replaced: ${formatNumber(stream.swap.inserted)} inserted, ` +
        `${formatNumber(stream.swap.updated)} updated, ${formatNumber(stream.swap.deleted)} deleted in ${stream.table}`,
    )
  const mirrored = mirroredText(stream)
  if (mirrored !== undefined) lines.push(indent + mirrored)
  for (const [table, { inserted, updated, unchanged, deleted }] of Object.entries(stream.children ?? {}))
    lines.push(
      `${indent}${table}: ${formatNumber(inserted)} inserted, ${formatNumber(updated)} updated, ` +
        `${formatNumber(unchanged)} unchanged, ${formatNumber(deleted)} deleted`,
    )
  if (stream.receipt)
    lines.push(...wrapped(receiptParts(stream.receipt), width - indent.length).map((part) => indent + part))
  if (stream.keptRows) lines.push(indent + keptText(stream.keptRows, stream.table))
  const gone = deletedText(stream)
  if (gone !== undefined) lines.push(indent + gone)
  for (const warning of stream.warnings) lines.push(`${indent}warning: ${warning}`)
  if (stream.counts.rejected > 0)
    lines.push(
      `${indent}rejected: for the reasons, sluice rejects list; to store them after a fix, sluice rejects replay`,
    )
  if (stream.error !== undefined) lines.push(`${indent}FAILED: ${stream.error}`)
  return lines
}

const receiptParts = ({ dead, tableBytes, indexBytes, serverWalBytes }: StreamReceipt): string[] => [
  `cost: ${formatCount(dead, 'dead row')}`,
  `table ${formatBytes(tableBytes.before)} to ${formatBytes(tableBytes.after)}`,
  `indexes ${formatBytes(indexBytes.before)} to ${formatBytes(indexBytes.after)}`,
  `${formatBytes(serverWalBytes)} of WAL (the whole server)`,
]

const keptText = (rows: number, table: string): string =>
  `kept: ${table} has ${formatCount(rows, 'row')} that this reading did not bring`

function mirroredText({ mirroredRows = 0, deletedRows = 'deleted', table }: StreamReport): string | undefined {
  if (mirroredRows === 0) return undefined
  const were = mirroredRows === 1 ? 'was' : 'were'
  const rows = formatCount(mirroredRows, 'row')
  return `mirror: ${rows} that this reading did not bring ${were} ${deletedRows} in ${table}`
}

/** A report that an older version stored has no such count. */
function deletedText({ counts: { deleted }, swap, deletedRows, table }: StreamReport): string | undefined {
  if (!(deleted > 0)) return undefined
  const were = `deleted: ${formatCount(deleted, 'record')} ${deleted === 1 ? 'was' : 'were'} announced as deleted`
  if (deletedRows) return `${were}; their rows are ${deletedRows} in ${table}`
  return swap ? `${were} and left out` : `${were}; ${table} keeps their rows`
}

function startText(stream: StreamReport, kind: Report['kind']): string {
  const { status, resumed, since } = stream
  if (status === 'not run') return 'not run'
  if (kind === 'replay') return 'replayed rejects'
  if (kind === 'backfill')
    return stream.backfill ? `backfill ${stream.backfill.id}${resumed ? ' continued' : ''}` : 'not started'
  if (resumed) return 'continued an interrupted read'
  return since === undefined ? 'read from the start' : `incremental since ${since}`
}

/** Describes the range of a backfill and the states of its windows. */
function windowsText({ backfill }: StreamReport): string[] {
  if (!backfill) return []
  const {
    from,
    to,
    window,
    zone,
    windows: { total, done, unproven, failed, skipped, open },
  } = backfill
  const rest = [
    unproven > 0 && `${formatNumber(unproven)} of them not proven complete`,
    failed > 0 && `${formatNumber(failed)} failed`,
    skipped > 0 && `${formatNumber(skipped)} skipped`,
    open > 0 && `${formatNumber(open)} to read`,
  ]
  return [
    `${from} to ${to}`,
    `${formatNumber(done)} of ${formatCount(total, 'window')} of ${window}${zone === 'UTC' ? '' : ` in ${zone}`} done`,
    ...rest.filter((part) => part !== false),
  ]
}

/** Joins parts by commas, in lines of at most this width. */
function wrapped(parts: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && `${last}, ${part},`.length <= width) lines[lines.length - 1] = `${last}, ${part}`
    else lines.push(part)
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line},` : line))
}

function summary(
  { pipeline, status, ms, rowsPerSecond, walBytes, peakMemoryBytes, streams }: Report,
  width: number,
): string {
  const failed = Object.entries(streams)
    .filter(([, stream]) => stream.status === 'failed')
    .map(([name]) => name)
  const open = openStreams(streams)
  const outcome = {
    done: open.length === 0 ? 'done in' : 'ended in',
    interrupted: 'interrupted after',
    failed: `failed (${failed.join(', ')}) after`,
  }[status]
  const facts = [
    `${pipeline}: ${outcome} ${formatSeconds(ms)}`,
    open.length > 0 && `not proven complete: ${open.join(' ')}`,
    `${formatNumber(Math.round(rowsPerSecond))} rows/s`,
    walBytes !== undefined && `${formatBytes(walBytes)} of WAL`,
    `${formatBytes(peakMemoryBytes)} peak memory`,
  ]
  const after = {
    done:
      open.length === 0
        ? []
        : [
            'Records may be missing: see the warnings.',
            'sluice status shows this until a later reading has proven the rest.',
          ],
    interrupted: ['Complete batches are committed. The next run continues after the last commit.'],
    failed: ['Complete batches are committed. Correct the cause; the next run continues after the last commit.'],
  }[status]
  return [
    ...wrapped(
      facts.filter((fact) => fact !== false),
      width,
    ),
    ...after,
  ].join('\n')
}
