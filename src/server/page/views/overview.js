// @ts-check
import { backfillList } from '../lists/backfill-list.js'
import { h, list, show } from '../parts/dom.js'
import { runList } from '../lists/run-list.js'
import { running } from '../live/active-run.js'
import { on, onTold, store } from '../data/store.js'
import { streams } from '../lists/pipeline-list.js'

/** What runs now, where each stream stands, backfills, the last runs. @type {import('../main.js').View} */
export function overview({ signal }) {
  const runs = h('div', { class: 'now' })
  const quiet = h('p', { class: 'empty' }, 'Nothing runs now.')
  const [its, backfills, lastRuns] = [streams(), backfillList(), runList({ label: 'Last runs' })]
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
      ({ run }) => running(run),
    )
  }
  const update = () => {
    const { summary } = store
    if (!summary) return
    now()
    its.update(summary.pipelines)
    backfills.update(summary.backfills)
    show(filled, summary.backfills.length > 0)
    lastRuns.update(summary.lastRuns.slice(0, 10))
    show(body, true)
    show(wait, false)
  }
  on('summary', update, signal)
  // Rates fall while nothing is heard, too.
  const timer = setInterval(now, 1_000)
  onTold(({ type }) => type === 'gauge' && now(), signal)
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    list(runs, [], String, () => running(''))
  })
  update()
  return { title: '', root: h('div', {}, wait, body) }
}
