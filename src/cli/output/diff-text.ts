import { openText } from '../../model/completeness.ts'
import type { ListDiff, StreamDiff } from '../../run/verify/stream-diff.ts'
import { formatCount, formatNumber, formatSeconds } from '../../value/format.ts'
import { shownSamples } from './difference-text.ts'

/** Columns to name with their counts. */
const MAX_COLUMNS = 20

/** Lays out what the next run of a stream would change. */
export function diffText(diff: StreamDiff): string {
  const { pipeline, stream, table, since, completeness, lists = [], warnings, error } = diff
  const start = since === undefined ? 'from the start' : `since ${since}`
  const grade = completeness === undefined ? '' : ` (${completeness.grade})`
  const open = openText(completeness)
  const lines = [
    `${start}: ${formatCount(diff.read, 'row')} read${grade}`,
    ...countLines(diff, columnsText(diff)),
    ...lists.flatMap(listLines),
    ...diff.alterations.map((change) => `the table would be altered: ${change}`),
    ...(open === undefined ? [] : [`it is not proven that everything was read: ${open}`]),
    ...warnings.map((text) => `warning: ${text}`),
    ...(error === undefined ? [] : [`failed: ${error}`]),
    `${formatCount(diff.requests, 'request')}, ${formatSeconds(diff.ms)}`,
  ]
  return [`${pipeline}.${stream} -> ${table}`, ...lines.map((line) => `  ${line}`)].join('\n')
}

const listLines = (list: ListDiff): string[] => [
  `${list.table}: ${formatCount(list.read, 'entry', 'entries')} of these records`,
  ...countLines({ ...list, rejected: 0 }).map((line) => `  ${line}`),
]

/** Returns a line for each count that is not 0, with its samples. `columns`: what is said of the rows to update. */
const countLines = (diff: Pick<StreamDiff, (typeof KINDS)[number][0] | 'samples'>, columns = ''): string[] =>
  KINDS.flatMap(([name, text, kind]) =>
    diff[name] === 0
      ? []
      : [
          `${formatNumber(diff[name])} ${text}${name === 'update' ? columns : ''}` +
            shownSamples(diff.samples.filter((sample) => sample.kind === kind)),
        ],
  )

const KINDS = [
  ['insert', 'to insert', 'missing'],
  ['update', 'to update', 'stale'],
  ['delete', 'to delete', 'extra'],
  ['unchanged', 'unchanged', undefined],
  ['changedMeanwhile', 'changed meanwhile by others', undefined],
  ['rejected', 'rejected: no row could be made of these records', undefined],
] as const

function columnsText({ columns }: StreamDiff): string {
  const counted = Object.entries(columns).toSorted(([, a], [, b]) => b - a)
  if (counted.length === 0) return ''
  const shown = counted.slice(0, MAX_COLUMNS).map(([name, count]) => `${name} in ${formatNumber(count)}`)
  const more = counted.length - shown.length
  return `: ${shown.join(', ')}${more > 0 ? `, and ${formatCount(more, 'more column')}` : ''}`
}
