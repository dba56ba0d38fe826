// @ts-check
import { backfillList } from '../lists/backfill-list.js'
import { h, list, show } from '../parts/dom.js'
import { runList } from '../lists/run-list.js'
import { activeRun } from '../live/active-run.js'
import { on, onEvent, store } from '../data/store.js'
import { pipelineList } from '../lists/pipeline-list.js'
import { workList } from '../lists/work-list.js'

/** Active runs, workers, streams, backfills and the last runs. @type {import('../main.js').View} */
export function overview({ signal }) {
  const runs = h('div', { class: 'now' })
  const quiet = h('p', { class: 'empty' }, 'No run is active.')
  const [its, backfills, lastRuns] = [pipelineList(), backfillList(), runList({ label: 'Last runs' })]
  const work = workList()
  const working = h(
    'section',
    { 'aria-labelledby': 'workers-title', hidden: true },
    h('h2', { id: 'workers-title' }, 'Workers'),
    h('div', { class: 'card' }, work.root),
  )
  const filled = h(
    'section',
    { 'aria-labelledby': 'backfills-title' },
    h('h2', { id: 'backfills-title' }, 'Backfills'),
    backfills.root,
  )
  const body = h(
    'div',
    { class: 'view', hidden: true },
    h('h1', { class: 'unseen' }, 'Overview'),
    h('section', { 'aria-labelledby': 'now-title' }, h('h2', { id: 'now-title' }, 'Running now'), quiet, runs),
    working,
    h('section', { 'aria-labelledby': 'streams-title' }, h('h2', { id: 'streams-title' }, 'Streams'), its.root),
    h(
      'div',
      { class: 'side-by-side' },
      filled,
      h(
        'section',
        { 'aria-labelledby': 'runs-title' },
        h('h2', { id: 'runs-title' }, 'Last runs'),
        h('div', { class: 'card' }, lastRuns.root),
      ),
    ),
  )
  const wait = h('p', { class: 'empty', role: 'status' }, 'Loading …')
  const now = () => {
    const { summary } = store
    if (!summary) return
    show(quiet, summary.running.length === 0)
    list(
      runs,
      summary.running,
      ({ run }) => run,
      ({ run }) => activeRun(run),
    )
  }
  const update = () => {
    const { summary } = store
    if (!summary) return
    now()
    work.update(summary.work)
    // Where nobody uses workers, the page has no word of them.
    show(working, summary.work.workers.length > 0 || summary.work.waiting?.length !== 0)
    its.update(summary.pipelines)
    backfills.update(summary.backfills)
    show(filled, summary.backfills.length > 0)
    lastRuns.update(summary.lastRuns.slice(0, 10))
    show(body, true)
    show(wait, false)
  }
  on('summary', update, signal)
  // Rates also fall while no events arrive.
  const timer = setInterval(now, 1_000)
  onEvent(({ type }) => type === 'gauge' && now(), signal)
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    list(runs, [], String, () => activeRun(''))
  })
  update()
  return { title: '', root: h('div', {}, wait, body) }
}
