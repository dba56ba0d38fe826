// @ts-check
import { attribute, h, show, text } from './parts/dom.js'
import { clock } from './parts/format.js'
import { statusMark } from './parts/status-mark.js'
import { store } from './data/store.js'
import { themeSwitch } from './parts/theme.js'
import { backfillView } from './views/backfill.js'
import { backfillsView } from './views/backfills.js'
import { overview } from './views/overview.js'
import { rejectsView } from './views/rejects.js'
import { runView } from './views/run.js'
import { runsView } from './views/runs.js'
import { streamView } from './views/stream.js'

/**
 * A view of an address; it ends when `signal` aborts.
 * @typedef {(options: { parts: string[], query: URLSearchParams, signal: AbortSignal }) => { title: string, root:
 * HTMLElement }} View
 */

/** By the first word of the address after `#/`. @type {Record<string, View>} */
const views = {
  '': overview,
  runs: runsView,
  run: runView,
  stream: streamView,
  backfills: backfillsView,
  backfill: backfillView,
  rejects: rejectsView,
}

const main = /** @type {HTMLElement} */ (document.getElementById('main'))
let left = new AbortController()

/** Shows the view of the address. @param {boolean} isFirst */
function go(isFirst) {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  // The skip link points into the current view.
  if (location.hash === '#main') return
  const [name = '', ...parts] = path.split('/').map(decoded)
  left.abort()
  left = new AbortController()
  const view = views[name] ?? overview
  const { title, root } = view({ parts, query: new URLSearchParams(query), signal: left.signal })
  document.title = title === '' ? 'Sluice' : `${title} · Sluice`
  main.replaceChildren(root)
  // The page of one run marks the link of all runs; likewise for backfills.
  for (const link of document.querySelectorAll('.top nav a'))
    attribute(link, 'aria-current', { [`#/${name}`]: 'page', [`#/${name}s`]: 'true' }[link.getAttribute('href') ?? ''])
  if (isFirst) return
  // Screen readers and keyboards start at the heading of the new view.
  scrollTo(0, 0)
  main.focus({ preventScroll: true })
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    // Typed by hand, with a percent sign that is not an escape.
    return part
  }
}

const CONNECTION_STATES = /** @type {const} */ ({
  live: ['done', 'Live'],
  connecting: ['idle', 'Connecting'],
  reconnecting: ['warning', 'Reconnecting'],
})

/** Shows whether the page is live, and how old its data is otherwise. */
function connection() {
  const state = statusMark('idle', 'Connecting')
  const root = h('span', { class: 'connection', role: 'status', 'aria-label': 'Connection' }, state.root)
  const banner = /** @type {HTMLElement} */ (document.getElementById('stale'))
  const update = () => {
    const { state: now, error, answered } = store
    const [status, word] = CONNECTION_STATES[now]
    state.update(status, word)
    attribute(document.body, 'data-state', now)
    const from = answered === 0 ? 'No data yet.' : `This page shows data from ${clock(answered, Date.now())}.`
    if (now === 'reconnecting')
      text(
        banner,
        `Not live: ${error ? error.message : 'the stream of events is interrupted'}. ${from} It reconnects by itself.`,
      )
    show(banner, now === 'reconnecting')
  }
  store.addEventListener('summary', update)
  store.addEventListener('connection', update)
  setInterval(update, 1_000)
  return root
}

document.getElementById('top-end')?.append(connection(), themeSwitch())
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault()
  main.focus()
})
addEventListener('hashchange', () => go(false))
go(true)
void store.start()
