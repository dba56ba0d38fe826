// @ts-check
import { h, list, text } from '../parts/dom.js'
import { count } from '../parts/format.js'
/** @typedef {import('../../schemas/resources.ts').Counts} Counts */

/** In the order of the equation below. */
const names = /** @type {const} */ ([
  'fetched',
  'expanded',
  'inserted',
  'updated',
  'unchanged',
  'filtered',
  'duplicate',
  'deleted',
  'rejected',
  'parents',
])

/**
 * Counts of records, line by line: fetched + expanded = inserted + updated + unchanged + filtered + duplicate +
 * deleted + rejected.
 */
export function countsTable() {
  const rows = h('div', { role: 'rowgroup' })
  return {
    root: h(
      'div',
      { class: 'table counts', role: 'table', 'aria-label': 'Counts' },
      h(
        'div',
        { class: 'row head', role: 'row' },
        h('span', { role: 'columnheader' }, 'Stream'),
        ...names.map((name) => h('span', { role: 'columnheader', class: 'number' }, name)),
      ),
      rows,
    ),
    /** @param {readonly { name: string, counts: Counts }[]} lines */
    update: (lines) =>
      list(
        rows,
        lines,
        ({ name }) => name,
        ({ name }) => {
          const cells = names.map((name) =>
            h('span', { role: 'cell', class: 'number', 'data-label': name, 'data-count': name }),
          )
          return {
            root: h(
              'div',
              { class: 'row', role: 'row', 'data-name': name },
              h('span', { role: 'rowheader' }, name),
              ...cells,
            ),
            update: ({ counts }) =>
              names.forEach((name, at) => text(/** @type {HTMLElement} */ (cells[at]), count(counts[name]))),
          }
        },
      ),
  }
}
