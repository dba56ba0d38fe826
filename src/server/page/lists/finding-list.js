// @ts-check
import { attribute, h, list, show, text } from '../parts/dom.js'
/** @typedef {import('../../schemas/resources.ts').Finding} Finding */

/** Findings of `sluice status` about a stream or a pipeline: problems in the colour of failures, notices muted. */
export function findingList() {
  const root = h('ul', { class: 'findings small', 'aria-label': 'Findings' })
  return {
    root,
    /** @param {readonly Finding[]} findings */
    update: (findings) => {
      show(root, findings.length > 0)
      list(root, findings, ({ kind, message }) => `${kind} ${message}`, findingItem)
    },
  }
}

function findingItem() {
  const root = h('li', {})
  return {
    root,
    /** @param {Finding} finding */
    update: ({ isProblem, message }) => {
      attribute(root, 'class', isProblem ? 'error-text' : 'muted')
      text(root, message)
    },
  }
}
