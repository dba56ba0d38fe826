// @ts-check
import { h, show } from '../parts/dom.js'
import { clock, count } from '../parts/format.js'
import { store } from '../data/store.js'
import { rowsOf } from '../parts/run-bars.js'

/** @typedef {import('../data/event-source.js').EventMessage} EventMessage */

/** More than these are not kept on the page; the ledger has them. */
const most = 300

/**
 * A run's events, from its first one on and as they arrive, the newest at the top. @param {string} run @param
 * {AbortSignal} signal
 */
export function eventLog(run, signal) {
  const items = h('ol', { class: 'events', tabindex: '0', 'aria-label': 'Events, the newest first' })
  const none = h('p', { class: 'empty' }, 'No event is kept: they are for seven days.')
  // A connection of its own: it reads this run's past, too, and closes with the view.
  const source = new EventSource(`/api/events?after=0&run=${encodeURIComponent(run)}`)
  source.addEventListener('message', ({ data }) => {
    const event = /** @type {EventMessage} */ (JSON.parse(String(data)))
    if (event.type === 'gauge') return
    show(none, false)
    items.prepend(
      h(
        'li',
        { 'data-type': event.type },
        h('time', { datetime: event.at, class: 'muted' }, clock(event.at, store.now)),
        h('span', { class: 'event-type' }, event.type),
        h('span', {}, 'stream' in event ? event.stream : ''),
        h('span', { class: 'event-words' }, words(event)),
      ),
    )
    while (items.childElementCount > most) items.lastElementChild?.remove()
    if (event.type === 'run.finished') source.close()
  })
  signal.addEventListener('abort', () => source.close())
  return { root: h('div', {}, items, none) }
}

/** What an event says beside its name and its stream. @param {EventMessage} event @returns {string} */
function words(event) {
  switch (event.type) {
    case 'run.started':
      return event.streams.join(', ')
    case 'slice.started':
      return `slice ${event.slice}${event.resumed ? ', resumed' : ''}${event.lower ? `, ${event.lower} to ${event.upper}` : event.since ? `, from ${event.since}` : ', from the beginning'}`
    case 'batch.committed':
      return `${count(rowsOf(event.counts))} rows in ${count(event.pages)} pages, ${count(Math.round(event.ms))} ms`
    case 'slice.finished':
      return `slice ${event.slice}, ${count(rowsOf(event.counts))} rows`
    case 'slice.failed':
      return `slice ${event.slice}: ${event.error}`
    case 'request.retried':
      return `attempt ${event.attempt}, again in ${count(Math.round(event.waitMs))} ms: ${event.reason}`
    case 'waiting':
      return `for ${event.for}, ${count(Math.round(event.ms))} ms`
    case 'request.finished':
      return `${event.method} ${event.url} answered ${event.status} in ${count(Math.round(event.ms))} ms`
    case 'backfill.planned':
      return `${count(event.windows.total)} windows, ${count(event.toRead)} to do`
    case 'pages.total':
      return `${count(event.pages)} pages to read`
    case 'table.altered':
      return `${event.table}: ${event.change}`
    case 'warning':
      return event.message
    case 'stream.finished':
      return `${event.status}, ${count(rowsOf(event.counts))} rows`
    case 'stream.failed':
      return event.error
    case 'run.finished':
      return event.status
    case 'gauge':
      return ''
  }
}
