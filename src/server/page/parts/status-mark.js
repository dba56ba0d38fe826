// @ts-check
import { attribute, h, text } from './dom.js'

/** A shape for each status, beside its colour and its word. */
const shapes = {
  done: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.9 4.9-4.6 5.3-3-3 1-1 1.9 1.9 3.6-4.2Z',
  failed:
    'M4.9 1h6.2L15 4.9v6.2L11.1 15H4.9L1 11.1V4.9Z' +
    'M5.2 4.1 4.1 5.2 6.9 8l-2.8 2.8 1.1 1.1L8 9.1l2.8 2.8 1.1-1.1L9.1 8l2.8-2.8-1.1-1.1L8 6.9Z',
  interrupted: 'M8 .6 15.4 8 8 15.4.6 8ZM5.8 5.3v5.4h1.6V5.3Zm2.8 0v5.4h1.6V5.3Z',
  running: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 2a5 5 0 1 0 0 10A5 5 0 0 0 8 3Zm0 2v6a3 3 0 0 0 0-6Z',
  waiting: 'M3 1h10v2L9.2 8 13 13v2H3v-2l3.8-5L3 3Z',
  warning: 'M8 1 15.6 14.6H.4ZM7.2 6v4.2h1.6V6Zm0 5.4v1.6h1.6v-1.6Z',
  idle: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.6a5.4 5.4 0 1 0 0 10.8A5.4 5.4 0 0 0 8 2.6Z',
}

/** The shape of each status; others are shown as idle. @type {Record<string, keyof typeof shapes>} */
const kinds = {
  done: 'done',
  failed: 'failed',
  interrupted: 'interrupted',
  running: 'running',
  open: 'running',
  waiting: 'waiting',
  warning: 'warning',
  overdue: 'warning',
  closed: 'interrupted',
  skipped: 'idle',
}

/**
 * A status as shape, colour and word.
 * @param {string} status
 * @param {string} [word] if it differs from the status
 */
export function statusMark(status, word = status) {
  const path = h('path', {})
  const label = h('span', { class: 'mark-word' })
  const root = h(
    'span',
    { class: 'mark' },
    h('svg', { viewBox: '0 0 16 16', class: 'shape', 'aria-hidden': 'true' }, path),
    label,
  )
  /** @param {string} status @param {string} [word] */
  const update = (status, word = status) => {
    const kind = kinds[status] ?? 'idle'
    attribute(root, 'data-kind', kind)
    attribute(path, 'd', shapes[kind])
    text(label, word)
  }
  update(status, word)
  return { root, update }
}
