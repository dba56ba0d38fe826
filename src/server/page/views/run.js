// @ts-check
import { address, get } from '../data/api.js'
import { provenStatus } from '../parts/completeness.js'
import { countsTable } from '../lists/counts-table.js'
import { h, list, show, text } from '../parts/dom.js'
import { counted, bytes, duration } from '../parts/format.js'
import { eventLog } from '../lists/event-log.js'
import { statusMark } from '../parts/status-mark.js'
import { activeRun } from '../live/active-run.js'
import { rowsOf } from '../parts/run-bars.js'
import { sliceList } from '../lists/slice-list.js'
import { timestamp } from '../parts/timestamp.js'
import { on, onEvent, store } from '../data/store.js'
import { throttle } from '../data/throttle.js'
/** @typedef {import('../../schemas/resources.ts').RunWithReport} RunWithReport */
/** @typedef {import('../../schemas/resources.ts').Slice} Slice */

/**
 * One run: its progress or its report, its slices, and its events as they arrive. @type {import('../main.js').View}
 */
export function runView({ parts: [id = ''], signal }) {
  const path = `/api/runs/${encodeURIComponent(id)}`
  const [heading, status, began, problem] = [
    h('h1', {}, `Run ${id}`),
    statusMark('idle', ''),
    timestamp('clock'),
    h('p', { class: 'error-text', role: 'alert', hidden: true }),
  ]
  const [took, error, warnings] = [
    h('span', {}),
    h('pre', { class: 'error-box', tabindex: '0', 'aria-label': 'Error of this run', hidden: true }),
    h('ul', { class: 'warnings' }),
  ]
  const [live, counts, slices, log] = [h('div', { class: 'alone' }), countsTable(), sliceList(), eventLog(id, signal)]
  const body = h(
    'div',
    { class: 'view', hidden: true },
    live,
    error,
    warnings,
    h('section', { class: 'card', 'aria-label': 'Report' }, h('h2', {}, 'Report'), counts.root),
    h('section', { class: 'card', 'aria-label': 'Slices' }, h('h2', {}, 'Slices'), slices.root),
    h('section', { class: 'card', 'aria-label': 'Events' }, h('h2', {}, 'Events'), log.root),
  )
  /** @type {RunWithReport | undefined} */
  let run
  const { ask } = throttle(
    async () => {
      try {
        run = /** @type {RunWithReport} */ (await get(path))
        /** @type {{ slices: Slice[] }} */
        const its = await get(address('/api/slices', { run: id, limit: 100 }))
        if (signal.aborted) return
        slices.update(its.slices)
        show(problem, false)
        draw(run)
      } catch (failure) {
        text(problem, failure instanceof Error ? failure.message : String(failure))
        show(problem, true)
      }
    },
    1_000,
    signal,
  )

  /** @param {RunWithReport} its */
  function draw(its) {
    text(heading, `${its.pipeline} · ${its.kind === 'sync' ? 'run' : its.kind} ${id}`)
    document.title = `${heading.textContent} · Sluice`
    status.update(...provenStatus(its.status, its.completeness))
    began.update(its.startedAt)
    const report = its.report
    const sent = report
      ? Object.values(report.streams).reduce(
          (sum, { requests, bytes }) => ({ requests: sum.requests + requests, bytes: sum.bytes + bytes }),
          { requests: 0, bytes: 0 },
        )
      : undefined
    text(
      took,
      [
        its.ms === null ? '' : `took ${duration(its.ms)}`,
        counted(rowsOf(its.counts), 'row'),
        sent && `${counted(sent.requests, 'request')}, ${bytes(sent.bytes)}`,
      ]
        .filter((part) => part !== '' && part !== undefined)
        .join(' · '),
    )
    const faults = [its.error, ...its.details.map(({ stream, error }) => error && `${stream}: ${error}`)].filter(
      (fault) => fault !== null && fault !== '',
    )
    text(error, faults.join('\n'))
    show(error, faults.length > 0)
    const lines = Object.entries(report?.streams ?? {}).flatMap(([stream, { warnings }]) =>
      warnings.map((words) => ({ stream, words })),
    )
    list(
      warnings,
      lines,
      ({ stream, words }) => `${stream} ${words}`,
      ({ stream, words }) => ({ root: h('li', {}, statusMark('warning', stream).root, ' ', words), update: () => {} }),
    )
    counts.update([
      ...its.details.map(({ stream, counts }) => ({ name: stream, counts })),
      ...(its.details.length > 1 ? [{ name: 'all', counts: its.counts }] : []),
    ])
    show(body, true)
  }

  const now = () => {
    const its = store.summary?.running.find(({ run }) => run === id)
    list(
      live,
      its ? [its] : [],
      ({ run }) => run,
      () => activeRun(id),
    )
  }
  on(
    'summary',
    () => {
      now()
      // A finished run does not change.
      if (run === undefined || run.status === 'running') ask()
    },
    signal,
  )
  const timer = setInterval(now, 1_000)
  onEvent(({ type, run }) => type === 'gauge' && run === id && now(), signal)
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    list(live, [], String, () => activeRun(id))
  })
  now()
  ask()
  return {
    title: `Run ${id}`,
    root: h(
      'div',
      { class: 'view' },
      h(
        'div',
        { class: 'run-title' },
        heading,
        status.root,
        h('span', { class: 'muted' }, 'started ', began.root),
        h('span', { class: 'muted' }, took),
      ),
      problem,
      body,
    ),
  }
}
