// @ts-check
import { h, list, show } from '../parts/dom.js'
import { backfillProgress } from '../map/backfill-progress.js'
/** @typedef {import('../../schemas/resources.ts').Backfill} Backfill */

/** Backfills with their progress. */
export function backfillList() {
  const items = h('ul', { class: 'card backfills' })
  const none = h('p', { class: 'empty' }, 'No backfill yet.')
  return {
    root: h('div', {}, none, items),
    /** @param {readonly Backfill[]} backfills */
    update: (backfills) => {
      show(none, backfills.length === 0)
      show(items, backfills.length > 0)
      list(
        items,
        backfills,
        ({ backfill }) => backfill,
        () => {
          const part = backfillProgress()
          return { root: h('li', {}, part.root), update: part.update }
        },
      )
    },
  }
}
