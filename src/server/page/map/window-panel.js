// @ts-check
import { openText } from '../parts/completeness.js'
import { attribute, h, show, text } from '../parts/dom.js'
import { count, instant } from '../parts/format.js'
import { statusMark } from '../parts/status-mark.js'
import { shownState, span, stateWord } from './window-map.js'
/** @typedef {import('../../schemas/resources.ts').WindowCell} WindowCell */

/** The mark of each window state. @type {Record<string, string>} */
const marks = {
  pending: 'idle',
  running: 'running',
  done: 'done',
  unproven: 'warning',
  failed: 'failed',
  skipped: 'idle',
}

/** @typedef {ReturnType<typeof import('../parts/action-button.js').actionButton>} ActionButton */

/**
 * One window of the map: bounds, rows, run, error, and a button that retries it. `back` is called on Escape.
 * @param {{ retry: () => ActionButton, back: () => void }} options
 */
export function windowPanel({ retry, back }) {
  const [title, state] = [h('h2', { tabindex: '-1' }), statusMark('idle')]
  const [bounds, rows, run, error] = [
    h('dd', {}),
    h('dd', {}),
    h('a', {}),
    h('pre', { class: 'error-box', tabindex: '0', 'aria-label': 'Error of this window' }),
  ]
  const [complete, reasons] = [h('dd', {}), h('p', { class: 'warning-text small' })]
  const noRun = h('span', { class: 'muted' }, '–')
  const again = retry()
  let shown = ''
  const root = h(
    'section',
    { class: 'panel', 'aria-label': 'Chosen window', on: { keydown: (event) => event.key === 'Escape' && back() } },
    h('header', { class: 'panel-head' }, title, state.root),
    h(
      'dl',
      { class: 'facts' },
      h('dt', {}, 'From, to'),
      bounds,
      h('dt', {}, 'Rows'),
      rows,
      h('dt', {}, 'Run'),
      h('dd', {}, run, noRun),
      h('dt', {}, 'Complete'),
      complete,
    ),
    reasons,
    error,
    again.root,
    h('p', { class: 'muted small keys' }, 'Arrow keys move through the map, Enter moves here, Escape moves back.'),
  )
  return {
    root,
    /** Focuses the button, or the title if there is nothing to retry. */
    focus: () => (again.root.hidden ? title : again.button).focus(),
    /** @param {{ window: WindowCell, step: string, zone: string }} its */
    update: ({ window, step, zone }) => {
      if (window.slice !== shown) again.reset()
      shown = window.slice
      text(title, span(window.lower, window.upper, zone, step))
      state.update(marks[shownState(window)] ?? 'idle', stateWord(shownState(window)))
      text(bounds, `${instant(window.lower).replace('.000', '')} → ${instant(window.upper).replace('.000', '')}`)
      text(rows, count(window.rows))
      show(run, window.run !== null)
      show(noRun, window.run === null)
      text(run, `run ${window.run}`)
      attribute(run, 'href', `#/run/${window.run}`)
      const isCovered = window.completeness?.grade === 'open' && !window.unproven
      text(complete, isCovered ? 'open, read again with proof since' : (window.completeness?.grade ?? 'not known'))
      text(reasons, openText(window.completeness))
      show(reasons, window.unproven)
      text(error, window.error ?? '')
      show(error, window.error !== null)
      // The result of a press stands beside the button, also after the window is done.
      show(again.root, window.state === 'failed' || again.root.contains(document.activeElement))
      again.relabel(window.state === 'failed' ? 'Retry this window' : 'Nothing to retry')
    },
  }
}
