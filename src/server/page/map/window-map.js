// @ts-check
import { attribute, h, text } from '../parts/dom.js'
import { counted } from '../parts/format.js'
import { layout } from './window-layout.js'
/** @typedef {import('../../schemas/resources.ts').WindowCell} WindowCell */

/** @type {Record<string, string>} */
const words = {
  pending: 'pending',
  running: 'running',
  done: 'done',
  unproven: 'not proven complete',
  failed: 'failed',
  skipped: 'skipped',
}
/** @param {string} state */
export const stateWord = (state) => words[state] ?? state

/**
 * The windows of a backfill as a map. The tab key stops at it once; arrow keys move through time and between rows.
 * @param {{ label: string, step: string, zone: string, chosen: (at: number) => void, opened: (at: number) => void }}
 * options
 *   `chosen` is called as the focus moves, `opened` when Enter is pressed on a window
 */
export function windowMap({ label, step, zone, chosen, opened }) {
  const root = h('div', {
    class: 'map',
    role: 'grid',
    'aria-label': label,
    'aria-readonly': 'true',
    on: { keydown: keydown, click: click, focusin: focusin },
  })
  /** @type {HTMLElement[]} */
  let cells = []
  /** The windows of each row, by index. @type {{ at: number, column: number }[][]} */
  let rows = []
  let shape = ''
  /** The state that each cell shows. @type {string[]} */
  let shown = []
  let current = 0

  /** @param {readonly WindowCell[]} windows */
  function build(windows) {
    cells = []
    rows = []
    shown = []
    current = Math.min(current, Math.max(0, windows.length - 1))
    root.replaceChildren(
      ...layout(windows, step, zone).map((block) => {
        const columns = h(
          'div',
          { class: 'map-row map-heads', 'aria-hidden': 'true' },
          h('span', {}),
          ...block.heads.map((head) => h('span', {}, h('i', {}, head))),
        )
        const body = block.rows.map((row) => {
          rows.push(row.cells)
          return h(
            'div',
            { class: 'map-row', role: 'row' },
            h('span', { class: 'map-label', role: 'rowheader' }, row.label.trim()),
            ...row.cells.map(({ at, column }) => {
              const cell = h('span', {
                class: 'cell',
                role: 'gridcell',
                tabindex: at === current ? 0 : -1,
                'data-at': at,
              })
              // The first column is the label of the row.
              cell.style.gridColumn = String(column + 1)
              cells[at] = cell
              return cell
            }),
          )
        })
        const its = h(
          'div',
          { class: 'map-block', role: 'rowgroup', 'aria-label': block.title || undefined },
          block.title !== '' && h('p', { class: 'map-title', 'aria-hidden': 'true' }, block.title),
          block.heads.length > 0 && columns,
          ...body,
        )
        its.style.setProperty('--columns', String(block.columns))
        return its
      }),
    )
  }

  /** @param {number} at @param {boolean} withFocus */
  function choose(at, withFocus) {
    const [before, now] = [cells[current], cells[at]]
    if (!now) return
    if (before) {
      attribute(before, 'tabindex', -1)
      attribute(before, 'aria-selected', undefined)
    }
    current = at
    attribute(now, 'tabindex', 0)
    attribute(now, 'aria-selected', 'true')
    if (withFocus) now.focus()
    chosen(at)
  }

  /** @param {Event} event */
  function click(event) {
    const at = placeOf(event)
    if (at !== undefined) choose(at, true)
  }

  /** @param {FocusEvent} event */
  function focusin(event) {
    const at = placeOf(event)
    if (at !== undefined && at !== current) choose(at, false)
    else if (at !== undefined) chosen(at)
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    const at = placeOf(event)
    if (at === undefined || event.altKey || event.metaKey) return
    const to = aim(event, at)
    if (to === undefined) return
    event.preventDefault()
    if (to === 'open') opened(at)
    else choose(Math.min(cells.length - 1, Math.max(0, to)), true)
  }

  /** @param {KeyboardEvent} event @param {number} at @returns {number | 'open' | undefined} */
  function aim({ key, ctrlKey }, at) {
    const row = rows.findIndex((cells) => cells.some((cell) => cell.at === at))
    const inRow = rows[row] ?? []
    switch (key) {
      case 'ArrowRight':
        return at + 1
      case 'ArrowLeft':
        return at - 1
      case 'ArrowDown':
        return nearest(rows[row + 1], inRow, at)
      case 'ArrowUp':
        return nearest(rows[row - 1], inRow, at)
      case 'Home':
        return ctrlKey ? 0 : inRow[0]?.at
      case 'End':
        return ctrlKey ? cells.length - 1 : inRow.at(-1)?.at
      case 'Enter':
      case ' ':
        return 'open'
      default:
        return undefined
    }
  }

  return {
    root,
    /** @param {number} at @param {boolean} withFocus */
    choose,
    /** @param {readonly WindowCell[]} windows */
    update: (windows) => {
      const next = `${windows.length} ${windows[0]?.lower} ${windows.at(-1)?.lower}`
      if (next !== shape) build(windows)
      shape = next
      windows.forEach((window, at) => {
        const cell = cells[at]
        const state = `${shownState(window)} ${window.rows}`
        if (!cell || shown[at] === state) return
        shown[at] = state
        attribute(cell, 'data-state', shownState(window))
        attribute(
          cell,
          'aria-label',
          [span(window.lower, window.upper, zone, step), stateWord(shownState(window)), ...rowsIn(window)].join(', '),
        )
      })
    },
  }
}

/** @param {WindowCell} window */
const rowsIn = ({ rows }) => (rows > 0 ? [counted(rows, 'row')] : [])

/** @param {Event} event */
function placeOf({ target }) {
  const cell = target instanceof Element ? target.closest('[data-at]') : null
  return cell ? Number(cell.getAttribute('data-at')) : undefined
}

/**
 * Returns the nearest window of the row below or above. @param {{ at: number, column: number }[] | undefined} row
 * @param {{ at: number, column: number }[]} from @param {number} at
 */
function nearest(row, from, at) {
  const column = from.find((cell) => cell.at === at)?.column ?? 0
  return row?.reduce((best, cell) => (Math.abs(cell.column - column) < Math.abs(best.column - column) ? cell : best)).at
}

/**
 * Describes a window: by its day or month if it is one, by both ends otherwise. @param {string} lower @param {string}
 * upper @param {string} zone @param {string} step
 */
export function span(lower, upper, zone, step) {
  const local = (/** @type {string} */ instant) =>
    new Date(instant).toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16)
  if (step === '1d') return local(lower).slice(0, 10)
  if (step === '1mo') return local(lower).slice(0, 7)
  const [from, to] = [local(lower), local(upper)]
  return `${from} to ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`
}

/** The state that a cell shows. @param {WindowCell} window */
export const shownState = ({ state, unproven }) => (unproven ? 'unproven' : state)

/** The legend of the map. */
export function legend() {
  const root = h('ul', { class: 'map-legend', 'aria-label': 'Legend' })
  for (const state of ['done', 'unproven', 'running', 'failed', 'pending']) {
    const name = h('span', {})
    text(name, stateWord(state))
    root.append(h('li', {}, h('span', { class: 'cell', 'data-state': state, 'aria-hidden': 'true' }), name))
  }
  return root
}
