// @ts-check
import { actionButton } from '../parts/action-button.js'
import { post } from '../data/api.js'
import { h } from '../parts/dom.js'
import { store } from '../data/store.js'

/**
 * A form that starts a backfill of a stream, or continues the one with the same range and window.
 * @param {string} pipeline @param {string} stream
 */
export function backfillForm(pipeline, stream) {
  const [from, to] = [h('input', { type: 'date', required: true }), h('input', { type: 'date', required: true })]
  const window = h(
    'select',
    {},
    ...['1h', '1d', '1mo'].map((step) => h('option', { value: step, selected: step === '1d' }, step)),
  )
  const zone = h('input', { type: 'text', value: 'UTC', size: 14 })
  const many = h(
    'select',
    {},
    ...[1, 2, 4, 8].map((number) => h('option', { value: number, selected: number === 4 }, String(number))),
  )
  const start = actionButton({
    label: 'Start the backfill',
    class: 'strong',
    ask: async (key) => {
      if (from.value === '' || to.value === '')
        throw new Error('choose both days: from (included) and to (not included)')
      const { run } = await post(
        '/api/backfills',
        {
          pipeline,
          stream,
          from: from.value,
          to: to.value,
          window: window.value,
          zone: zone.value,
          concurrency: Number(many.value),
        },
        key,
      )
      store.refresh()
      return `run ${run} started`
    },
  })
  return {
    root: h(
      'section',
      { class: 'card', 'aria-label': 'New backfill' },
      h('h2', {}, 'New backfill'),
      h(
        'div',
        { class: 'form' },
        labelled('From', from),
        labelled('To (not included)', to),
        labelled('Window', window),
        labelled('Zone', zone),
        labelled('Windows at once', many),
        start.root,
      ),
    ),
  }
}

/** @param {string} name @param {HTMLElement} field */
const labelled = (name, field) => h('label', { class: 'field' }, h('span', {}, name), field)
