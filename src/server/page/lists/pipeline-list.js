// @ts-check
import { act } from '../parts/action-button.js'
import { post } from '../data/api.js'
import { attribute, h, list, show, text } from '../parts/dom.js'
import { count, counted } from '../parts/format.js'
import { mark } from '../parts/status-mark.js'
import { rowsOf, runBars } from '../parts/run-bars.js'
import { stamp } from '../parts/timestamp.js'
import { store } from '../data/store.js'
/** @typedef {import('../../schemas/resources.ts').Pipeline} Pipeline */
/** @typedef {import('../../schemas/resources.ts').Stream} Stream */

/** Each pipeline with its schedule and a button, and its streams: where each stands, and how its last runs went. */
export function streams() {
  const root = h('div', { class: 'pipelines' })
  const none = h('p', { class: 'empty' }, 'No pipeline is known yet.')
  return {
    root: h('div', {}, none, root),
    /** @param {readonly Pipeline[]} pipelines */
    update: (pipelines) => {
      show(none, pipelines.length === 0)
      list(
        root,
        pipelines,
        ({ pipeline }) => pipeline,
        ({ pipeline }) => pipelineCard(pipeline),
      )
    },
  }
}

/** @param {string} pipeline */
function pipelineCard(pipeline) {
  const [schedule, tick] = [h('span', { class: 'code' }), stamp('in')]
  const next = h('span', { class: 'nowrap' }, 'next ', tick.root)
  const unknown = h('span', { class: 'muted small' }, 'not loaded here')
  const start = act({
    label: 'Run',
    name: `Run ${pipeline}`,
    ask: async (key) => {
      const { run } = await post('/api/runs', { pipeline }, key)
      store.refresh()
      return `run ${run} started`
    },
  })
  const rows = h('div', { role: 'rowgroup' })
  const heading = h('h3', { id: `pipeline-${pipeline}` }, pipeline)
  const root = h(
    'section',
    { class: 'card pipeline', 'aria-label': `Pipeline ${pipeline}`, 'data-pipeline': pipeline },
    h(
      'header',
      { class: 'pipeline-head' },
      heading,
      h('span', { class: 'muted small pipeline-facts' }, schedule, next, unknown),
      start.root,
    ),
    h(
      'div',
      { class: 'table streams', role: 'table', 'aria-label': `Streams of ${pipeline}` },
      h(
        'div',
        { class: 'row head', role: 'row' },
        ...['Stream', 'Last run', 'Rows', 'Last runs', 'Cursor', 'Rejects'].map((name) =>
          h('span', { role: 'columnheader', class: name === 'Rows' || name === 'Rejects' ? 'number' : '' }, name),
        ),
      ),
      rows,
    ),
  )
  return {
    root,
    /** @param {Pipeline} its */
    update: (its) => {
      text(schedule, its.schedule ?? (its.loaded ? 'no schedule' : ''))
      attribute(schedule, 'title', its.schedule ? `in ${its.zone ?? 'UTC'}` : undefined)
      show(next, its.nextTick !== null)
      tick.update(its.nextTick)
      show(unknown, !its.loaded)
      show(start.root, its.loaded)
      list(
        rows,
        its.streams,
        ({ stream }) => stream,
        () => streamRow(pipeline),
      )
    },
  }
}

/** @param {string} pipeline */
function streamRow(pipeline) {
  const [name, table] = [h('a', {}), h('span', { class: 'muted small clip' })]
  const [status, ago, bars] = [mark('idle'), stamp('ago'), runBars()]
  const rows = h('span', { class: 'number', role: 'cell', 'data-label': 'Rows' })
  const [cursor, moved] = [h('span', { class: 'code clip' }), stamp('ago')]
  const rejects = h('a', {})
  const none = h('span', { class: 'muted' }, '0')
  const error = h('p', { class: 'row-error error-text small', role: 'cell' })
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
    error,
  )
  return {
    root,
    /** @param {Stream} its */
    update: (its) => {
      const last = its.runs[0]
      attribute(root, 'data-stream', `${pipeline}.${its.stream}`)
      text(name, its.stream)
      attribute(name, 'href', `#/stream/${encodeURIComponent(pipeline)}/${encodeURIComponent(its.stream)}`)
      text(table, its.table ? `${its.table}${its.write ? `, ${its.write}` : ''}` : '')
      status.update(last?.status ?? 'idle', last?.status ?? 'never ran')
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
      const fault = last?.error ?? ''
      text(error, fault)
      show(error, fault !== '')
    },
  }
}
