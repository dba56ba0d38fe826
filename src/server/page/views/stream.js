// @ts-check
import { backfillForm } from './backfill-form.js'
import { backfillList } from '../lists/backfill-list.js'
import { address, get } from '../data/api.js'
import { openText } from '../parts/completeness.js'
import { h, show, text } from '../parts/dom.js'
import { age, count } from '../parts/format.js'
import { runBars } from '../parts/run-bars.js'
import { findingList } from '../lists/finding-list.js'
import { runList } from '../lists/run-list.js'
import { timestamp } from '../parts/timestamp.js'
import { on, store } from '../data/store.js'
import { throttle } from '../data/throttle.js'

/** @typedef {import('../../schemas/resources.ts').Backfill} Backfill */

/**
 * One stream: its table and cursor, runs, backfills, and a form that starts a backfill. @type
 * {import('../main.js').View}
 */
export function streamView({ parts: [pipeline = '', stream = ''], signal }) {
  const title = `${pipeline}.${stream}`
  const path = `${encodeURIComponent(pipeline)}/${encodeURIComponent(stream)}`
  const [bars, success, moved, tick] = [runBars(), timestamp('ago'), timestamp('ago'), timestamp('in')]
  const [table, complete, key, cursor, lag, schedule, zone, next] = [
    h('dd', {}),
    h('dd', {}),
    h('dd', {}),
    h('code', {}),
    h('span', { class: 'muted' }),
    h('code', {}),
    h('span', { class: 'muted' }),
    h('span', { class: 'muted' }, ', next ', tick.root),
  ]
  const rejects = h('a', { href: `#/rejects?${new URLSearchParams({ pipeline, stream })}` })
  const [runs, backfills, form] = [
    runList({ label: `Runs of ${title}`, hasPipeline: false }),
    backfillList(),
    backfillForm(pipeline, stream),
  ]
  const findings = findingList()
  const none = h('p', { class: 'empty' }, `Stream ${title} does not exist.`)
  const body = h(
    'div',
    { class: 'view', hidden: true },
    h(
      'div',
      { class: 'card' },
      findings.root,
      h(
        'dl',
        { class: 'facts wide' },
        h('dt', {}, 'Table'),
        table,
        h('dt', {}, 'Key'),
        key,
        h('dt', {}, 'Cursor'),
        h('dd', {}, cursor, ' ', lag, h('span', { class: 'muted' }, ' moved ', moved.root)),
        h('dt', {}, 'Last success'),
        h('dd', {}, success.root),
        h('dt', {}, 'Complete'),
        complete,
        h('dt', {}, 'Schedule'),
        h('dd', {}, schedule, zone, next),
        h('dt', {}, 'Rejects'),
        h('dd', {}, rejects),
        h('dt', {}, 'Last runs'),
        h('dd', {}, bars.root),
        h('dt', {}, 'Records'),
        h(
          'dd',
          {},
          h('a', { href: `/api/streams/${path}/records`, download: `${title}.ndjson` }, 'Download the table as NDJSON'),
        ),
      ),
    ),
    h('section', { class: 'card', 'aria-label': 'Runs' }, h('h2', {}, 'Last runs'), runs.root),
    h('section', { 'aria-label': 'Backfills' }, h('h2', {}, 'Backfills'), backfills.root),
    form.root,
  )
  const { ask } = throttle(
    async () => {
      /** @type {{ backfills: Backfill[] }} */
      const answer = await get(address('/api/backfills', { pipeline, stream, limit: 20 }))
      if (!signal.aborted) backfills.update(answer.backfills)
    },
    2_000,
    signal,
  )
  const update = () => {
    const its = store.summary?.pipelines.find((one) => one.pipeline === pipeline)
    const found = its?.streams.find((one) => one.stream === stream)
    show(none, store.summary !== undefined && !found)
    show(body, found !== undefined)
    if (!its || !found) return
    text(table, found.table ? `${found.table}, ${found.write}` : 'not loaded here')
    text(key, found.key?.join(', ') || 'none')
    text(cursor, found.cursor?.value ?? 'none')
    text(lag, found.cursor?.lagSeconds ? `(${age(found.cursor.lagSeconds * 1_000)} behind now)` : '')
    moved.update(found.cursor?.updatedAt)
    success.update(found.lastSuccess, 'never')
    text(complete, openText(found.completeness) || (found.completeness?.grade ?? 'not known'))
    text(schedule, its.schedule ?? 'none')
    text(zone, its.schedule ? ` ${its.zone ?? 'UTC'}` : '')
    show(next, its.nextTick !== null)
    tick.update(its.nextTick)
    text(rejects, count(found.rejects))
    bars.update(found.runs)
    findings.update(found.findings)
    runs.update(found.runs)
    show(form.root, its.loaded)
    ask()
  }
  on('summary', update, signal)
  update()
  return { title, root: h('div', { class: 'view' }, h('h1', {}, title), none, body) }
}
