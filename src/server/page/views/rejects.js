// @ts-check
import { h, list, show, text, attribute } from '../parts/dom.js'
import { pagedList } from '../lists/paged-list.js'
import { indentJson } from '../parts/indent-json.js'
import { timestamp } from '../parts/timestamp.js'
/** @typedef {import('../../schemas/resources.ts').Reject} Reject */

/** Records that could not be stored, with their reasons. @type {import('../main.js').View} */
export function rejectsView({ query, signal }) {
  const of = [query.get('pipeline'), query.get('stream')].filter((name) => name !== null && name !== '').join('.')
  const items = h('ol', { class: 'rejects' })
  const none = h(
    'p',
    { class: 'empty', hidden: true },
    of === '' ? 'No rejects: every record was stored, or filtered on purpose.' : `No rejects of ${of}.`,
  )
  const replay = h(
    'p',
    { class: 'muted small' },
    'Correct the stage or the table, then ',
    h('code', {}, `sluice rejects replay ${of === '' ? 'PIPELINE.STREAM' : of}`),
    ' stores them.',
  )
  const { root } = pagedList({
    path: '/api/rejects',
    query,
    name: 'rejects',
    limit: 20,
    signal,
    /** @param {Reject[]} rejects */
    update: (rejects) => {
      show(none, rejects.length === 0)
      show(replay, rejects.length > 0)
      list(items, rejects, ({ reject }) => reject, rejectItem)
    },
  })
  const title = of === '' ? 'Rejects' : `Rejects of ${of}`
  return {
    title,
    root: h(
      'div',
      { class: 'view' },
      h('h1', {}, title),
      replay,
      none,
      items,
      of !== '' && h('p', { class: 'small' }, h('a', { href: '#/rejects' }, 'Rejects of all streams')),
      root,
    ),
  }
}

function rejectItem() {
  const [place, stage, reason, run, at] = [
    h('a', {}),
    h('span', { class: 'tag' }),
    h('p', { class: 'reject-reason' }),
    h('a', {}),
    timestamp('ago'),
  ]
  const [record, parents] = [
    h('pre', { class: 'record', tabindex: '0' }),
    h('pre', { class: 'record parents', tabindex: '0' }),
  ]
  const from = h('div', {}, h('p', { class: 'small muted' }, 'Parent records'), parents)
  const settled = h('span', { class: 'tag' })
  return {
    root: h(
      'li',
      { class: 'card reject' },
      h(
        'div',
        { class: 'reject-why' },
        h('p', { class: 'reject-place' }, place, ' ', stage, ' ', settled),
        reason,
        h('p', { class: 'small muted' }, run, ', ', at.root),
      ),
      h('div', { class: 'reject-what' }, record, from),
    ),
    /** @param {Reject} its */
    update: (its) => {
      text(place, `${its.pipeline}.${its.stream}`)
      attribute(place, 'href', `#/stream/${encodeURIComponent(its.pipeline)}/${encodeURIComponent(its.stream)}`)
      text(stage, its.stage)
      text(reason, its.reason)
      text(run, `run ${its.run}`)
      attribute(run, 'href', `#/run/${its.run}`)
      at.update(its.createdAt)
      text(record, indentJson(its.record))
      attribute(record, 'aria-label', `Record of reject ${its.reject}`)
      show(from, its.parents !== null)
      text(parents, its.parents === null ? '' : indentJson(its.parents))
      show(settled, its.settlement !== null)
      text(settled, its.settlement ?? '')
    },
  }
}
