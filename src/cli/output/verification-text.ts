import { openText } from '../../model/completeness.ts'
import {
  faultsIn,
  type Repair,
  type StreamVerification,
  type VerifiedPart,
  listFaultsIn,
  type VerifiedList,
} from '../../run/verify/verification.ts'
import { formatCount, formatNumber, formatSeconds } from '../../value/format.ts'
import { shownSamples } from './difference-text.ts'

/** Windows that differ, to show one by one. */
const MAX_WINDOWS = 20

/** Lays out what the verification of a stream has found, and what to do about it. */
export function verificationText(stream: StreamVerification): string {
  const { pipeline, stream: name, table, status, error, windows, repair, warnings, requests, ms } = stream
  const head = `${pipeline}.${name} -> ${table}: `
  if (status === 'skipped') return `${head}not compared: ${error}`
  const lines = windows ? [...partLines({ ...stream, samples: [] }), ...windowLines(windows)] : partLines(stream)
  const last = [
    ...(repair ? repairLines(repair) : []),
    ...warnings.map((text) => `warning: ${text}`),
    ...(error === undefined ? [] : [`failed: ${error}`]),
    `${formatCount(requests, 'request')}, ${formatSeconds(ms)}`,
    ...(repair ? [] : remedyLines(stream)),
    ...extraLines(stream),
  ]
  return [`${head}${status}`, ...[...lines, ...last].map((line) => `  ${line}`)].join('\n')
}

function partLines({ counts, completeness, extraUnknown, samples, lists = [] }: VerifiedPart): string[] {
  const open = openText(completeness)
  const grade = completeness === undefined ? '' : ` (${completeness.grade})`
  return [
    `${formatCount(counts.read, 'row')} read${grade}, ${formatNumber(counts.equal)} equal`,
    ...KINDS.flatMap(([kind, text]) =>
      counts[kind] === 0
        ? []
        : [`${formatNumber(counts[kind])} ${text}${shownSamples(samples.filter((sample) => sample.kind === kind))}`],
    ),
    ...EXCUSES.flatMap(([name, text]) => (counts[name] === 0 ? [] : [`${formatNumber(counts[name])} ${text}`])),
    ...(extraUnknown === undefined ? [] : [`extra rows are not known: ${extraUnknown}`]),
    ...(open === undefined || extraUnknown?.includes(open)
      ? []
      : [`it is not proven that everything was read: ${open}`]),
    ...lists.flatMap(listLines),
  ]
}

const KINDS = [
  ['missing', 'missing: in the source, not in the table'],
  ['stale', 'stale: other values in the table'],
  ['newer', 'newer: a later version in the table, which runs leave as it is'],
  ['extra', 'extra: in the table, not in the source'],
] as const

function listLines({ table, counts, samples }: VerifiedList): string[] {
  const { read, equal, changedMeanwhile, notReadYet } = counts
  return [
    `${table}: ${formatCount(read, 'entry', 'entries')} of these records, ${formatNumber(equal)} equal`,
    ...LIST_KINDS.flatMap(([kind, text]) =>
      counts[kind] === 0
        ? []
        : [`  ${formatNumber(counts[kind])} ${text}${shownSamples(samples.filter((sample) => sample.kind === kind))}`],
    ),
    ...(changedMeanwhile === 0 ? [] : [`  ${formatNumber(changedMeanwhile)} changed meanwhile`]),
    ...(notReadYet === 0 ? [] : [`  ${formatNumber(notReadYet)} not read yet: left to the next run`]),
  ]
}

const LIST_KINDS = [
  ['missing', 'missing: in the list, not in the table'],
  ['stale', 'stale: other values in the table'],
  ['extra', 'extra: in the table, not in the list of its record'],
] as const

const EXCUSES = [
  ['changedMeanwhile', 'changed meanwhile'],
  ['notReadYet', 'not read yet: left to the next run'],
  ['rejected', 'rejected: no row could be made of these records'],
] as const

function windowLines(windows: NonNullable<StreamVerification['windows']>): string[] {
  const differing = windows.filter(
    (window) => faultsIn(window.counts) + listFaultsIn(window) > 0 || window.extraUnknown !== undefined,
  )
  const lines = differing.slice(0, MAX_WINDOWS).flatMap((window) => {
    const [first = '', ...rest] = partLines(window)
    return [`${window.from} to ${window.to}: ${first}`, ...rest.map((line) => `  ${line}`)]
  })
  const more = differing.length - MAX_WINDOWS
  return [
    `${formatCount(windows.length, 'window')}, ${formatNumber(differing.length)} of them with differences`,
    ...lines,
    ...(more > 0 ? [`and ${formatCount(more, 'more window')}, in --json`] : []),
  ]
}

function repairLines({
  how,
  run,
  ranges = [],
  missing,
  stale,
  extra,
  left,
  lists,
  requests,
  status,
  error,
}: Repair): string[] {
  const what = how === 'full' ? 'the whole stream' : formatCount(ranges.length, 'range')
  const read = `repaired by run ${run}, which read ${what} again with ${formatCount(requests, 'request')}`
  return [
    `${read}: ${formatNumber(missing)} missing and ${formatNumber(stale)} stale` +
      (lists ? `, and ${formatCount(lists.repaired, 'entry', 'entries')} of nested lists` : '') +
      (extra === 0 ? '' : `; ${formatCount(extra, 'extra row')} deleted by the mirror`),
    ...(status === 'done'
      ? []
      : [`the repair ${status === 'failed' ? 'failed' : 'was interrupted'}: ${error ?? 'no reason is known'}`]),
    ...(left === 0
      ? []
      : [`${formatCount(left, 'row')} could not be repaired. If the run has rejected them: sluice runs ${run}`]),
    ...(lists === undefined || lists.left === 0
      ? []
      : [`${formatCount(lists.left, 'entry', 'entries')} could not be repaired: sluice runs ${run} says what it did`]),
  ]
}

const remedyLines = (stream: StreamVerification): string[] => {
  const { missing, stale } = stream.counts
  const what = [
    ...(missing + stale === 0 ? [] : ['missing and stale rows']),
    ...(listFaultsIn(stream) === 0 ? [] : ['nested lists']),
  ]
  return what.length === 0 ? [] : [`to put ${what.join(', and ')} right, repeat the command with --repair`]
}

/** Rows are deleted by mirrors only: what a source has taken back is a question of the pipeline. */
function extraLines({ counts: { extra }, mirror, windows, repair }: StreamVerification): string[] {
  const left = extra - (repair?.extra ?? 0)
  if (left === 0) return []
  if (!mirror) return ['extra rows stay: how a table loses what the source has taken back is in docs/DELETIONS.md']
  const how = windows ? 'a backfill of their windows, or a full run, deletes' : 'a full run deletes'
  return [`${how} ${formatCount(left, 'extra row')}: the table is a mirror (docs/DELETIONS.md)`]
}
