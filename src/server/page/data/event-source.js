// @ts-check
/** @typedef {import('../../schemas/resources.ts').EventMessage} EventMessage */

/** Events from before the page was opened that are read as well, so that the plot has a past. */
const EARLIER = 1_500

/**
 * Follows the events of all runs, from a while before `event` on. The browser reconnects by itself, and sends the id of
 * its last event.
 * @param {string} event the last one that the summary knows
 * @param {{ onEvent: (event: EventMessage) => void, gap: () => void, isOpen: (open: boolean) => void }} listener
 */
export function listen(event, { onEvent, gap, isOpen }) {
  let last = BigInt(event) > BigInt(EARLIER) ? BigInt(event) - BigInt(EARLIER) : 0n
  /** @type {EventSource} */
  let source
  const open = () => {
    source = new EventSource(`/api/events?after=${last}`)
    source.addEventListener('open', () => isOpen(true))
    source.addEventListener('message', ({ data, lastEventId }) => {
      if (/^\d+$/.test(lastEventId)) last = BigInt(lastEventId)
      onEvent(/** @type {EventMessage} */ (JSON.parse(String(data))))
    })
    source.addEventListener('gap', () => gap())
    source.addEventListener('error', () => {
      isOpen(false)
      // After an error status, such as a proxy's 502, the browser does not reconnect.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 2_000)
    })
  }
  open()
}
