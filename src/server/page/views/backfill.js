// @ts-check
import { actionButton } from '../parts/action-button.js'
import { get, post } from '../data/api.js'
import { countsTable } from '../lists/counts-table.js'
import { h, show, text } from '../parts/dom.js'
import { counted, count } from '../parts/format.js'
import { backfillProgress } from '../map/backfill-progress.js'
import { on, onEvent, store } from '../data/store.js'
import { throttle } from '../data/throttle.js'
import { windowPanel } from '../map/window-panel.js'
import { legend, windowMap } from '../map/window-map.js'
/** @typedef {import('../../schemas/resources.ts').BackfillWithWindows} BackfillWithWindows */
/** @typedef {import('../../schemas/resources.ts').EventMessage} EventMessage */
/** @typedef {import('../../schemas/resources.ts').WindowCell} WindowCell */

/** One backfill as a map of its windows. @type {import('../main.js').View} */
export function backfillView({ parts: [id = ''], signal }) {
  const path = `/api/backfills/${encodeURIComponent(id)}`
  const [heading, facts, problem] = [
    h('h1', {}),
    h('p', { class: 'muted' }),
    h('p', { class: 'error-text', role: 'alert', hidden: true }),
  ]
  const [strip, counts, body] = [backfillProgress(), countsTable(), h('div', { class: 'view', hidden: true })]
  const next = h('button', { type: 'button', on: { click: () => nextFailed() } }, 'Next failed')
  const again = retry('failed', 'Retry failed windows')
  const rest = retry('missing', 'Continue with pending windows')
  const panel = windowPanel({
    retry: () => retry('failed', 'Retry this window', () => cells[chosen]),
    back: () => map?.choose(chosen, true),
  })
  const place = h('div', { class: 'map-place' })
  body.append(
    h('div', { class: 'backfill-head' }, heading, facts),
    h(
      'div',
      { class: 'card map-card' },
      strip.root,
      h('div', { class: 'map-bar' }, legend(), h('span', { class: 'map-acts' }, next, again.root, rest.root)),
      h('div', { class: 'map-and-panel' }, place, panel.root),
    ),
    h('section', { class: 'card', 'aria-label': 'Counts' }, h('h2', {}, 'Rows of all windows'), counts.root),
  )
  /** @type {BackfillWithWindows | undefined} */
  let backfill
  /** The windows of `backfill`, kept up to date by events. @type {WindowCell[]} */
  let cells = []
  /** @type {ReturnType<typeof windowMap> | undefined} */
  let map
  let chosen = 0

  /**
   * A button that reads windows again: one of them, or all that `only` selects. @param {'failed' | 'missing'} only
   * @param {string} label @param {() => WindowCell | undefined} [one]
   */
  function retry(only, label, one) {
    return actionButton({
      label,
      ask: async (key) => {
        const window = one?.()
        const { run } = await post(`${path}/retry`, window ? { only, windows: [window.lower] } : { only }, key)
        ask()
        return `run ${run} started`
      },
    })
  }

  // Hundreds of windows may finish in a second: drawing each time would block the keyboard.
  const redraw = throttle(async () => draw(), 250, signal)
  const { ask } = throttle(
    async () => {
      try {
        backfill = /** @type {BackfillWithWindows} */ (await get(path))
        cells = [...backfill.map]
        show(problem, false)
      } catch (error) {
        text(problem, error instanceof Error ? error.message : String(error))
        show(problem, true)
      }
      draw()
    },
    1_500,
    signal,
  )

  function draw() {
    if (!backfill || signal.aborted) return
    const windows = cells.length
    const states = { pending: 0, running: 0, done: 0, failed: 0, skipped: 0 }
    for (const { state } of cells) states[state] += 1
    const unproven = cells.filter((cell) => cell.unproven).length
    text(heading, `Backfill of ${backfill.pipeline}.${backfill.stream}`)
    text(
      facts,
      `${backfill.from.slice(0, 10)} to ${backfill.to.slice(0, 10)} ` +
        `in ${counted(windows, 'window')} of ${backfill.window}, ${backfill.zone}`,
    )
    document.title = `${heading.textContent} · Sluice`
    strip.update({ ...backfill, windows, unproven, ...states })
    counts.update([{ name: 'all windows', counts: backfill.counts }])
    if (!map) {
      map = windowMap({
        label: `Windows of backfill ${id}`,
        step: backfill.window,
        zone: backfill.zone,
        chosen: (at) => {
          chosen = at
          look()
        },
        opened: () => panel.focus(),
      })
      place.append(map.root)
      chosen = Math.max(
        0,
        cells.findIndex(({ state }) => state === 'failed'),
      )
      map.update(cells)
      map.choose(chosen, false)
    }
    map.update(cells)
    show(next, states.failed > 0)
    show(again.root, states.failed > 0 || again.root.contains(document.activeElement))
    again.relabel(states.failed === 0 ? 'Nothing to retry' : `Retry ${counted(states.failed, 'failed window')}`)
    show(rest.root, states.pending > 0 && states.running === 0)
    rest.relabel(`Continue with ${count(states.pending)} pending`)
    look()
    show(body, true)
  }

  function look() {
    const window = cells[chosen]
    if (backfill && window) panel.update({ window, step: backfill.window, zone: backfill.zone })
  }

  function nextFailed() {
    const after = cells.findIndex(({ state }, at) => at > chosen && state === 'failed')
    map?.choose(after >= 0 ? after : cells.findIndex(({ state }) => state === 'failed'), true)
  }

  onEvent((event) => {
    if (event.type !== 'slice.started' && event.type !== 'slice.finished' && event.type !== 'slice.failed') return
    const at = cells.findIndex(({ slice }) => slice === event.slice)
    const window = cells[at]
    // The answer includes the events from before the page was opened.
    if (!window || BigInt(event.id) <= BigInt(store.summary?.event ?? '0')) return
    cells[at] = { ...window, ...windowAfter(event) }
    redraw.ask()
    ask()
  }, signal)
  on('summary', ask, signal)
  ask()
  return { title: `Backfill ${id}`, root: h('div', {}, problem, body) }
}

/** @param {EventMessage & { type: 'slice.started' | 'slice.finished' | 'slice.failed' }} event */
function windowAfter(event) {
  const run = event.run
  if (event.type === 'slice.started')
    return { state: /** @type {const} */ ('running'), run, error: null, unproven: false, completeness: null }
  if (event.type === 'slice.failed') return { state: /** @type {const} */ ('failed'), run, error: event.error }
  // The rows of this run only: the next answer includes those of earlier runs of the window.
  const { inserted, updated, unchanged } = event.counts
  const completeness = event.completeness ?? null
  return {
    state: /** @type {const} */ ('done'),
    run,
    error: null,
    rows: inserted + updated + unchanged,
    completeness,
    unproven: completeness?.grade === 'open',
  }
}
