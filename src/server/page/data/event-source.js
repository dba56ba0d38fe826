// @ts-check
/** @typedef {import('../../schemas/resources.ts').EventMessage} EventMessage */

/** Events before the page was opened that are read all the same, so that the plot has a past. */
const earlier = 1_500

/**
 * Everything that happens, from a while before `event` on. The browser connects again by itself and says which event
 * was the last.
 * @param {string} event the last one that the summary knows
 * @param {{ told: (event: EventMessage) => void, gap: () => void, isOpen: (open: boolean) => void }} listener
 */
export function listen(event, { told, gap, isOpen }) {
  let last = BigInt(event) > BigInt(earlier) ? BigInt(event) - BigInt(earlier) : 0n
  /** @type {EventSource} */
  let source
  const open = () => {
    source = new EventSource(`/api/events?after=${last}`)
    source.addEventListener('open', () => isOpen(true))
    source.addEventListener('message', ({ data, lastEventId }) => {
      if (/^\d+$/.test(lastEventId)) last = BigInt(lastEventId)
      told(/** @type {EventMessage} */ (JSON.parse(String(data))))
    })
    source.addEventListener('gap', () => gap())
    source.addEventListener('error', () => {
      isOpen(false)
      // After an answer that is none (a proxy's 502, say) a browser gives up for good.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 2_000)
    })
  }
  open()
}
