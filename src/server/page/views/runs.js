// @ts-check
import { h } from '../parts/dom.js'
import { pagedList } from '../lists/paged-list.js'
import { runList } from '../lists/run-list.js'

/** All runs, newest first. @type {import('../main.js').View} */
export function runsView({ query, signal }) {
  const runs = runList({ label: 'Runs' })
  const { root } = pagedList({ path: '/api/runs', query, name: 'runs', update: (items) => runs.update(items), signal })
  return {
    title: 'Runs',
    root: h('div', { class: 'view' }, h('h1', {}, 'Runs'), h('div', { class: 'card' }, runs.root), root),
  }
}
