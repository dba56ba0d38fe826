// @ts-check
import { post } from '../data/api.js'
import { store } from '../data/store.js'
import { actionButton } from '../parts/action-button.js'
import { attribute, h, list, show, text } from '../parts/dom.js'
import { statusMark } from '../parts/status-mark.js'
import { timestamp } from '../parts/timestamp.js'
import { findingList } from './finding-list.js'
import { streamRow } from './stream-row.js'
/** @typedef {import('../../schemas/resources.ts').Pipeline} Pipeline */

/** Each pipeline with its schedule, a button that runs it, its findings and its streams. */
export function pipelineList() {
  const root = h('div', { class: 'pipelines' })
  const none = h('p', { class: 'empty' }, 'No pipelines yet.')
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
  const [schedule, tick, missed] = [h('span', { class: 'code' }), timestamp('in'), timestamp('ago')]
  const next = h('span', { class: 'nowrap' }, 'next ', tick.root)
  const overdue = h('span', { class: 'nowrap' }, statusMark('overdue', 'overdue').root, ' since the tick ', missed.root)
  const findings = findingList()
  const unknown = h('span', { class: 'muted small' }, 'not loaded here')
  const start = actionButton({
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
      h('span', { class: 'muted small pipeline-facts' }, schedule, next, overdue, unknown),
      start.root,
    ),
    findings.root,
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
      show(overdue, its.overdueSince !== null)
      missed.update(its.overdueSince)
      findings.update(its.findings)
      show(unknown, !its.loaded)
      show(start.root, its.loaded)
      list(
        rows,
        its.streams.map((stream) => ({
          its: stream,
          isLoaded: its.loaded,
          isOverdueAsWhole: its.overdueSince !== null,
        })),
        ({ its }) => its.stream,
        () => streamRow(pipeline),
      )
    },
  }
}
