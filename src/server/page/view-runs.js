// @ts-check
import { h } from './dom.js'
import { pages } from './pages.js'
import { runList } from './run-list.js'

/** Every run that there has been, the newest first. @type {import('./main.js').View} */
export function runsView({ query, signal }) {
  const runs = runList({ label: 'Runs' })
  const { root } = pages({ path: '/api/runs', query, name: 'runs', update: (items) => runs.update(items), signal })
  return {
    title: 'Runs',
    root: h('div', { class: 'view' }, h('h1', {}, 'Runs'), h('div', { class: 'card' }, runs.root), root),
  }
}
