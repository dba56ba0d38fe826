// @ts-check
import { provenStatus } from '../parts/completeness.js'
import { attribute, h, list, show, text } from '../parts/dom.js'
import { count, duration } from '../parts/format.js'
import { statusMark } from '../parts/status-mark.js'
import { rowsOf } from '../parts/run-bars.js'
import { timestamp } from '../parts/timestamp.js'
/** @typedef {import('../../schemas/resources.ts').Run} Run */
/** @typedef {import('../../schemas/resources.ts').StreamRun} StreamRun */

/**
 * Runs as a table, newest first.
 * @param {{ label: string, hasPipeline?: boolean }} options
 */
export function runList({ label, hasPipeline = true }) {
  const rows = h('div', { role: 'rowgroup' })
  const none = h('p', { class: 'empty' }, 'No run yet.')
  const heads = ['Run', 'Status', 'Rows', 'New', 'Changed', 'Took', 'Began']
  const table = h(
    'div',
    { class: 'table runs', role: 'table', 'aria-label': label },
    h(
      'div',
      { class: 'row head', role: 'row' },
      ...heads.map((name) =>
        h(
          'span',
          { role: 'columnheader', class: ['Rows', 'New', 'Changed', 'Took'].includes(name) ? 'number' : '' },
          name,
        ),
      ),
    ),
    rows,
  )
  return {
    root: h('div', {}, table, none),
    /** @param {readonly (Run | StreamRun)[]} runs */
    update: (runs) => {
      show(none, runs.length === 0)
      show(table, runs.length > 0)
      list(
        rows,
        runs,
        ({ run }) => run,
        () => runRow(hasPipeline),
      )
    },
  }
}

/** @param {string} label */
const cell = (label) => h('span', { role: 'cell', class: 'number', 'data-label': label })

/** @param {boolean} hasPipeline */
function runRow(hasPipeline) {
  const [name, status, began] = [h('a', {}), statusMark('idle'), timestamp('ago')]
  const [rows, inserted, updated, took] = [cell('Rows'), cell('New'), cell('Changed'), cell('Took')]
  const error = h('p', { class: 'row-error error-text small', role: 'cell' })
  const root = h(
    'div',
    { class: 'row', role: 'row' },
    h('span', { role: 'rowheader' }, name),
    h('span', { role: 'cell' }, status.root),
    rows,
    inserted,
    updated,
    took,
    h('span', { role: 'cell', class: 'muted', 'data-label': 'Began' }, began.root),
    error,
  )
  return {
    root,
    /** @param {Run | StreamRun} run */
    update: (run) => {
      attribute(root, 'data-run', run.run)
      const kind = run.kind === 'sync' ? 'run' : run.kind
      text(name, hasPipeline && 'pipeline' in run ? `${run.pipeline} · ${kind} ${run.run}` : `${kind} ${run.run}`)
      attribute(name, 'href', `#/run/${run.run}`)
      status.update(...provenStatus(run.status, run.completeness))
      text(rows, count(rowsOf(run.counts)))
      text(inserted, count(run.counts.inserted))
      text(updated, count(run.counts.updated))
      text(took, run.ms === null ? '–' : duration(run.ms))
      began.update(run.startedAt)
      text(error, run.error ?? '')
      show(error, run.error !== null)
    },
  }
}
