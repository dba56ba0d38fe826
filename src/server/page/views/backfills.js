// @ts-check
import { backfillList } from '../lists/backfill-list.js'
import { h } from '../parts/dom.js'
import { pagedList } from '../lists/paged-list.js'

/** All backfills. @type {import('../main.js').View} */
export function backfillsView({ query, signal }) {
  const backfills = backfillList()
  const { root } = pagedList({
    path: '/api/backfills',
    query,
    name: 'backfills',
    update: (items) => backfills.update(items),
    signal,
  })
  return { title: 'Backfills', root: h('div', { class: 'view' }, h('h1', {}, 'Backfills'), backfills.root, root) }
}
