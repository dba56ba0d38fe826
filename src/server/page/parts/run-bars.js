// @ts-check
import { provenStatus } from './completeness.js'
import { attribute, h, list } from './dom.js'
import { counted } from './format.js'
/** @typedef {import('../../schemas/resources.ts').StreamRun} StreamRun */
/** @typedef {import('../../schemas/resources.ts').Counts} Counts */

/** Returns the number of records that a run handled. @param {Counts} counts */
export const rowsOf = ({ fetched, expanded }) => fetched + expanded

/**
 * The last runs of a stream as bars, newest at the right. The height is the square root of the rows, so that a small
 * run is visible beside a large one; the status is a colour and a shape.
 */
export function runBars() {
  const root = h('span', { class: 'bars', role: 'img' })
  return {
    root,
    /** @param {readonly StreamRun[]} runs the newest first */
    update: (runs) => {
      const most = Math.max(1, ...runs.map(({ counts }) => rowsOf(counts)))
      const bad = runs.filter(({ status }) => status === 'failed' || status === 'interrupted').length
      const open = runs.filter((run) => provenStatus(run.status, run.completeness)[1] === 'open').length
      const [newest] = runs
      attribute(
        root,
        'aria-label',
        newest
          ? `Last ${counted(runs.length, 'run')}, ${bad === 0 ? 'none failed' : `${bad} failed or interrupted`}` +
              `${open === 0 ? '' : `, ${open} not proven complete`}; ` +
              `the newest handled ${counted(rowsOf(newest.counts), 'row')}`
          : 'No run yet',
      )
      list(root, runs.toReversed(), ({ run }) => run, bar)
      for (const one of root.children)
        /** @type {HTMLElement} */ (one).style.setProperty(
          '--part',
          String(Math.sqrt(Number(one.getAttribute('data-rows')) / most)),
        )
    },
  }
}

function bar() {
  const root = h('span', { class: 'bar' })
  return {
    root,
    /** @param {StreamRun} run */
    update: ({ run, status, completeness, counts, kind }) => {
      const [, word] = provenStatus(status, completeness)
      attribute(root, 'data-status', word)
      attribute(root, 'data-rows', rowsOf(counts))
      attribute(root, 'title', `${kind === 'sync' ? 'run' : kind} ${run}: ${word}, ${counted(rowsOf(counts), 'row')}`)
    },
  }
}
