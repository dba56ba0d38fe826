// @ts-check
import { attribute, h, list, show, text } from '../parts/dom.js'
import { counted } from '../parts/format.js'
import { statusMark } from '../parts/status-mark.js'
import { timestamp } from '../parts/timestamp.js'
/** @typedef {import('../../schemas/work.ts').Work} Work */
/** @typedef {import('../../schemas/work.ts').Worker} Worker */
/** @typedef {import('../../schemas/work.ts').Waiting} Waiting */

/**
 * A line of the list: a piece of work that a worker does, a worker that does nothing, or pieces that wait.
 * @typedef {{ key: string, worker: string, status: string, word: string, work: string, run?: string, since?: string,
 * note?: string | undefined }} Line
 */

/** Workers, what each does, and what waits for one. */
export function workList() {
  const rows = h('div', { role: 'rowgroup' })
  const unread = h('p', { class: 'muted small' }, 'What waits is not known: the server may not read sluice_jobs.')
  const table = h(
    'div',
    { class: 'table workers', role: 'table', 'aria-label': 'Workers' },
    h(
      'div',
      { class: 'row head', role: 'row' },
      ...['Worker', 'Status', 'Work', 'For'].map((name) => h('span', { role: 'columnheader' }, name)),
    ),
    rows,
  )
  return {
    root: h('div', {}, table, unread),
    /** @param {Work} work */
    update: ({ workers, waiting }) => {
      const lines = [...workers.flatMap(linesOf), ...(waiting ?? []).map(waitingLine)]
      show(table, lines.length > 0)
      show(unread, waiting === null)
      list(rows, lines, ({ key }) => key, workRow)
    },
  }
}

/** @param {Worker} its @returns {Line[]} */
function linesOf({ worker, pid, draining, pieces }) {
  const ends = draining ? ' (ends)' : ''
  const one = { worker: `${worker}${ends}` }
  if (pieces.length === 0) return [{ ...one, key: `${worker} ${pid}`, status: 'idle', word: 'idle', work: '' }]
  return pieces.map(({ run, pipeline, stream, window, since }) => ({
    ...one,
    key: `${worker} ${run} ${stream} ${window?.from ?? ''}`,
    status: 'running',
    word: 'running',
    work: `${pipeline}.${stream}${window ? ` · ${day(window.from)} to ${day(window.to)}` : ''}`,
    run,
    since,
  }))
}

/** @param {Waiting} its @returns {Line} */
function waitingLine({ pipeline, version, pieces, since, workers }) {
  const isLeft = workers.length === 0
  return {
    key: `waiting ${pipeline} ${version}`,
    worker: isLeft ? 'none' : workers.join(', '),
    status: isLeft ? 'warning' : 'waiting',
    word: 'waiting',
    work: `${counted(pieces, 'piece')} of ${pipeline}`,
    since,
    note: isLeft ? `No worker has version ${version} of ${pipeline}.` : undefined,
  }
}

/** A moment without midnight. @param {string} moment */
const day = (moment) => moment.replace('.000Z', 'Z').replace('T00:00:00Z', '')

/** @param {string} label */
const cell = (label) => h('span', { role: 'cell', 'data-label': label })

function workRow() {
  const [worker, status, since] = [h('span', { role: 'rowheader' }), statusMark('idle'), timestamp('since')]
  const [link, plain] = [h('a', {}), h('span', {})]
  const [work, lasts] = [cell('Work'), cell('For')]
  work.append(link, plain)
  lasts.append(since.root)
  const note = h('p', { class: 'row-error warning-text small', role: 'cell' })
  return {
    root: h('div', { class: 'row', role: 'row' }, worker, h('span', { role: 'cell' }, status.root), work, lasts, note),
    /** @param {Line} line */
    update: (line) => {
      text(worker, line.worker)
      status.update(line.status, line.word)
      text(link, line.run === undefined ? '' : line.work)
      attribute(link, 'href', line.run === undefined ? undefined : `#/run/${line.run}`)
      show(link, line.run !== undefined)
      text(plain, line.run === undefined ? line.work : '')
      since.update(line.since, '')
      text(note, line.note ?? '')
      show(note, line.note !== undefined)
    },
  }
}
