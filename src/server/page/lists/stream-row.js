// @ts-check
import { provenStatus } from '../parts/completeness.js'
import { attribute, h, show, text } from '../parts/dom.js'
import { count, counted } from '../parts/format.js'
import { rowsOf, runBars } from '../parts/run-bars.js'
import { statusMark } from '../parts/status-mark.js'
import { timestamp } from '../parts/timestamp.js'
import { findingList } from './finding-list.js'
/** @typedef {import('../../schemas/resources.ts').Finding} Finding */
/** @typedef {import('../../schemas/resources.ts').Stream} Stream */

/** One stream of a pipeline: status, rows, cursor, rejects and findings. @param {string} pipeline */
export function streamRow(pipeline) {
  const [name, table] = [h('a', {}), h('span', { class: 'muted small clip' })]
  const [status, ago, bars] = [statusMark('idle'), timestamp('ago'), runBars()]
  const rows = h('span', { class: 'number', role: 'cell', 'data-label': 'Rows' })
  const [cursor, moved] = [h('span', { class: 'code clip' }), timestamp('ago')]
  const rejects = h('a', {})
  const none = h('span', { class: 'muted' }, '0')
  const findings = findingList()
  const problems = h('div', { class: 'row-error', role: 'cell' }, findings.root)
  const root = h(
    'div',
    { class: 'row', role: 'row' },
    h('span', { role: 'rowheader', class: 'two' }, name, table),
    h(
      'span',
      { role: 'cell', class: 'two', 'data-label': 'Last run' },
      status.root,
      h('span', { class: 'muted small' }, ago.root),
    ),
    rows,
    h('span', { role: 'cell', 'data-label': 'Last runs' }, bars.root),
    h(
      'span',
      { role: 'cell', class: 'two', 'data-label': 'Cursor' },
      cursor,
      h('span', { class: 'muted small' }, moved.root),
    ),
    h('span', { role: 'cell', class: 'number', 'data-label': 'Rejects' }, rejects, none),
    problems,
  )
  return {
    root,
    /** @param {{ its: Stream, isLoaded: boolean, isOverdueAsWhole: boolean }} row */
    update: ({ its, isLoaded, isOverdueAsWhole }) => {
      const last = its.runs[0]
      attribute(root, 'data-stream', `${pipeline}.${its.stream}`)
      text(name, its.stream)
      attribute(name, 'href', `#/stream/${encodeURIComponent(pipeline)}/${encodeURIComponent(its.stream)}`)
      text(table, its.table ? `${its.table}${its.write ? `, ${its.write}` : ''}` : '')
      if (last) status.update(...provenStatus(last.status, last.completeness))
      else status.update('idle', 'never ran')
      ago.update(last?.finishedAt ?? last?.startedAt, '')
      text(rows, last ? count(rowsOf(last.counts)) : '–')
      bars.update(its.runs)
      text(cursor, its.cursor?.value ?? 'none')
      attribute(cursor, 'title', its.cursor?.value)
      moved.update(its.cursor?.updatedAt, '')
      show(rejects, its.rejects > 0)
      show(none, its.rejects === 0)
      text(rejects, count(its.rejects))
      attribute(rejects, 'aria-label', `${counted(its.rejects, 'reject')} of ${its.stream}`)
      attribute(
        rejects,
        'href',
        `#/rejects?pipeline=${encodeURIComponent(pipeline)}&stream=${encodeURIComponent(its.stream)}`,
      )
      const shown = shownFindings(its, isLoaded, isOverdueAsWhole)
      findings.update(shown)
      show(problems, shown.length > 0)
    },
  }
}

/** Kinds that the columns of the row show already. */
const REDUNDANT_KINDS = new Set(['rejects', 'never ran'])

/**
 * The findings that the columns of the row and the head of its pipeline do not show. A stream whose pipeline is not
 * loaded has no findings: the error of its last run replaces them.
 * @param {Stream} stream @param {boolean} isLoaded @param {boolean} isOverdueAsWhole @returns {readonly Finding[]}
 */
function shownFindings({ findings, runs }, isLoaded, isOverdueAsWhole) {
  const error = runs[0]?.error ?? null
  if (!isLoaded) return error === null ? [] : [{ kind: 'failed', isProblem: true, message: error }]
  return findings.filter(({ kind }) => !REDUNDANT_KINDS.has(kind) && !(kind === 'overdue' && isOverdueAsWhole))
}
