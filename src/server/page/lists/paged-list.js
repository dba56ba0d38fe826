// @ts-check
import { address, get } from '../data/api.js'
import { attribute, h, show, text } from '../parts/dom.js'
import { on } from '../data/store.js'
import { throttle } from '../data/throttle.js'

/**
 * A list that is read page by page. The newest page follows the ledger.
 * @template Item
 * @param {{ path: string, query: URLSearchParams, name: string, update: (items: Item[]) => void, signal: AbortSignal,
 * limit?: number }} options
 */
export function pagedList({ path, query, name, update, signal, limit = 50 }) {
  const [newer, older, where] = [
    h('button', { type: 'button' }, 'Newer'),
    h('button', { type: 'button' }, 'Older'),
    h('span', { class: 'muted small', role: 'status' }),
  ]
  const problem = h('p', { class: 'error-text', role: 'alert', hidden: true })
  const root = h('nav', { class: 'pager', 'aria-label': `Pages of ${name}` }, newer, older, where, problem)
  /** The start of each page up to the current one. @type {(string | undefined)[]} */
  const starts = [undefined]
  /** @type {string | null} */
  let next = null
  const { ask } = throttle(
    async () => {
      try {
        /** @type {Record<string, unknown>} */
        const answer = await get(address(path, { ...Object.fromEntries(query), after: starts.at(-1), limit }))
        if (signal.aborted) return
        next = /** @type {string | null} */ (answer['next'])
        update(/** @type {Item[]} */ (answer[name]))
        text(where, starts.length === 1 && next === null ? '' : `page ${starts.length}`)
        show(problem, false)
      } catch (error) {
        text(problem, error instanceof Error ? error.message : String(error))
        show(problem, true)
      }
      attribute(newer, 'disabled', starts.length === 1)
      attribute(older, 'disabled', next === null)
      for (const button of [newer, older]) show(button, starts.length > 1 || next !== null)
    },
    300,
    signal,
  )
  newer.addEventListener('click', () => {
    if (starts.length > 1) starts.pop()
    ask()
  })
  older.addEventListener('click', () => {
    if (next !== null) starts.push(next)
    ask()
  })
  // An older page does not change while it is being read.
  on('summary', () => starts.length === 1 && ask(), signal)
  ask()
  return { root }
}
