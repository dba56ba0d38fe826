// @ts-check
import { attribute, h, text } from '../parts/dom.js'
import { count, counted } from '../parts/format.js'
/** @typedef {import('../../schemas/resources.ts').Backfill} Backfill */

const states = /** @type {const} */ (['done', 'unproven', 'running', 'failed', 'pending'])

/** Progress of a backfill as one strip, with a link to the map of its windows. */
export function backfillProgress() {
  const strips = states.map((state) => h('span', { class: 'share-part', 'data-state': state }))
  const strip = h('span', { class: 'share-strip', 'aria-hidden': 'true' }, ...strips)
  const [title, words] = [h('a', {}), h('span', { class: 'share-words' })]
  const root = h('div', { class: 'share' }, h('p', { class: 'share-head' }, title, words), strip)
  return {
    root,
    /** @param {Backfill} backfill */
    update: (backfill) => {
      text(
        title,
        `${backfill.pipeline}.${backfill.stream}, ` +
          `${backfill.from.slice(0, 10)} to ${backfill.to.slice(0, 10)} by ${backfill.window}`,
      )
      attribute(title, 'href', `#/backfill/${backfill.backfill}`)
      text(words, windowWords(backfill))
      for (const [at, state] of states.entries()) {
        const part = strips[at]
        // Windows that are not proven complete are done as well.
        const windows = state === 'done' ? backfill.done - backfill.unproven : backfill[state]
        if (part) part.style.flexGrow = String(windows)
      }
    },
  }
}

/** @param {Backfill} backfill */
export function windowWords({ windows, done, unproven, running, failed, pending }) {
  const rest = [
    unproven > 0 && `${count(unproven)} not proven complete`,
    running > 0 && `${count(running)} running`,
    failed > 0 && `${count(failed)} failed`,
    pending > 0 && `${count(pending)} pending`,
  ].filter((part) => part !== false)
  return [`${count(done)} of ${counted(windows, 'window')} done`, ...rest].join(' · ')
}
