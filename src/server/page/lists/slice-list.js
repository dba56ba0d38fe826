// @ts-check
import { openText, provenStatus } from '../parts/completeness.js'
import { attribute, h, list, show, text } from '../parts/dom.js'
import { count } from '../parts/format.js'
import { statusMark } from '../parts/status-mark.js'
import { rowsOf } from '../parts/run-bars.js'
/** @typedef {import('../../schemas/resources.ts').Slice} Slice */

/** Slices of a run, newest first, with their range and counts. */
export function sliceList() {
  const rows = h('div', { role: 'rowgroup' })
  const none = h('p', { class: 'empty' }, 'No slice yet.')
  const table = h(
    'div',
    { class: 'table slices', role: 'table', 'aria-label': 'Slices' },
    h(
      'div',
      { class: 'row head', role: 'row' },
      ...['Slice', 'Stream', 'Status', 'Complete', 'Rows', 'Batches', 'From', 'To'].map((name) =>
        h('span', { role: 'columnheader', class: name === 'Rows' || name === 'Batches' ? 'number' : '' }, name),
      ),
    ),
    rows,
  )
  return {
    root: h('div', {}, table, none),
    /** @param {readonly Slice[]} slices */
    update: (slices) => {
      show(none, slices.length === 0)
      show(table, slices.length > 0)
      list(rows, slices, ({ slice }) => slice, sliceRow)
    },
  }
}

/** @param {string} label @param {string} [kind] */
const cell = (label, kind = '') => h('span', { role: 'cell', class: kind, 'data-label': label })

function sliceRow() {
  const [name, stream, status] = [h('span', { role: 'rowheader' }), cell('Stream'), statusMark('idle')]
  const [complete, rows, batches, from, to] = [
    cell('Complete'),
    cell('Rows', 'number'),
    cell('Batches', 'number'),
    cell('From', 'code clip'),
    cell('To', 'code clip'),
  ]
  const error = h('p', { class: 'row-error error-text small', role: 'cell' })
  const reasons = h('p', { class: 'row-error warning-text small', role: 'cell' })
  const root = h(
    'div',
    { class: 'row', role: 'row' },
    name,
    stream,
    h('span', { role: 'cell' }, status.root),
    complete,
    rows,
    batches,
    from,
    to,
    error,
    reasons,
  )
  return {
    root,
    /** @param {Slice} slice */
    update: (slice) => {
      attribute(root, 'data-slice', slice.slice)
      text(name, slice.slice)
      text(stream, slice.stream)
      const isOpen = slice.status === 'open'
      const openWord = slice.held ? 'running' : 'pending'
      if (isOpen) status.update(slice.held ? 'running' : 'idle', openWord)
      else status.update(...provenStatus(slice.status, slice.completeness))
      text(complete, slice.completeness?.grade ?? '')
      text(rows, count(rowsOf(slice.counts)))
      text(batches, count(slice.batches))
      text(from, slice.lower ?? slice.since ?? 'the beginning')
      text(to, slice.upper ?? slice.until ?? 'the newest record')
      text(error, slice.error ?? '')
      show(error, slice.error !== null)
      text(reasons, openText(slice.completeness))
      show(reasons, slice.completeness?.grade === 'open')
    },
  }
}
