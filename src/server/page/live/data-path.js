// @ts-check
import { attribute, h, show, text } from '../parts/dom.js'
import { waits } from './run-progress.js'
import { bytes, count, counted, rate } from '../parts/format.js'
import { rowsOf } from '../parts/run-bars.js'
/** @typedef {import('./run-progress.js').RunProgress} RunProgress */

/** The steps of a stream's data, in order, with their names. */
const STEPS = /** @type {const} */ ([
  ['api', 'API'],
  ['ahead', 'Read ahead'],
  ['stages', 'Stages'],
  ['batch', 'Batch'],
  ['table', 'Table'],
])

/** One step: a name, a number and a note. @param {string} id @param {string} name */
function place(id, name) {
  const [title, value, unit, note] = [
    h('span', { class: 'place-name' }, name),
    h('span', { class: 'place-value' }),
    h('span', { class: 'place-unit' }),
    h('span', { class: 'place-note' }),
  ]
  const fill = h('span', { class: 'meter-fill' })
  const meter = h('span', { class: 'meter', hidden: true, 'aria-hidden': 'true' }, fill)
  const root = h(
    'li',
    { class: `place place-${id}` },
    title,
    h('span', { class: 'place-number' }, value, unit),
    note,
    meter,
  )
  return {
    root,
    title,
    /**
     * @param {string} number
     * @param {string} its the unit
     * @param {string} more the note
     * @param {number} [busy] the share of the time in which the step works
     */
    update: (number, its, more, busy) => {
      text(value, number)
      text(unit, its)
      text(note, more)
      show(meter, busy !== undefined)
      if (busy !== undefined) fill.style.transform = `scaleX(${busy.toFixed(3)})`
    },
  }
}

/**
 * The path of a stream's data from the API to the table: rates, queues, and the step that holds up the others.
 * @param {string} stream
 */
export function dataPath(stream) {
  const each = STEPS.map(([id, name]) => place(id, name))
  const [api, ahead, stages, batch, table] = /** @type {[Place, Place, Place, Place, Place]} */ (each)
  const words = h('p', { class: 'chain-words' })
  const name = h('h4', { class: 'chain-name' }, stream)
  const root = h(
    'div',
    { class: 'chain', 'data-stream': stream },
    h('div', { class: 'chain-head' }, name, words),
    h(
      'ol',
      { class: 'way', 'aria-label': `Data path of ${stream} from the API to the table` },
      ...each.map(({ root }) => root),
    ),
  )
  return {
    root,
    /**
     * `counts` are those of this run in the ledger.
     * @param {{
     *   progress: RunProgress,
     *   now: number,
     *   target: string | null,
     *   counts: import('../../schemas/resources.ts').Counts | undefined,
     *   color: number,
     * }} how
     */
    update: ({ progress, now, target, counts, color }) => {
      attribute(name, 'data-series', color)
      const gauge = progress.gauge?.streams[stream]
      const rates = progress.rates(stream, now)
      attribute(root, 'data-silent', rates === undefined)
      text(table.title, target ?? 'Table')
      attribute(table.title, 'title', target ?? undefined)
      if (!gauge) {
        for (const part of each) part.update('–', '', '')
        text(words, 'no progress reported yet')
        return
      }
      const last = progress.batches.get(stream)
      api.update(
        rated(rates?.requests),
        'req/s',
        `${count(gauge.requests)} sent, ${count(gauge.underWay)} open`,
        rates?.api,
      )
      ahead.update(
        count(gauge.ahead),
        gauge.ahead === 1 ? 'page' : 'pages',
        rates ? `${bytes(Math.round(rates.bytes))}/s` : `${bytes(gauge.bytes)} read`,
      )
      stages.update(
        rated(rates?.read),
        'records/s',
        gauge.rejected === 0 ? `${count(gauge.read)} read` : counted(gauge.rejected, 'reject'),
      )
      batch.update(
        count(gauge.batches),
        gauge.batches === 1 ? 'batch' : 'batches',
        last ? `${counted(last.rows, 'row')}, ${count(Math.round(last.ms))} ms` : 'none yet',
      )
      // The number of the ledger, as everywhere else on the page; that of the gauge is a second old.
      const stored = counts ? rowsOf(counts) : gauge.stored
      table.update(count(stored), stored === 1 ? 'row' : 'rows', `${rated(rates?.stored)} rows/s`, rates?.database)
      describe(gauge, rates)
    },
  }

  /** @param {import('../../schemas/resources.ts').StreamState} gauge @param {ReturnType<RunProgress['rates']>} rates */
  function describe(gauge, rates) {
    const isFresh = rates !== undefined
    const wait = gauge.waitsFor === null ? undefined : waits[gauge.waitsFor]
    const load = wait?.isHeld ? 'held' : 'slowest'
    for (const [at, [id]] of STEPS.entries())
      attribute(/** @type {Place} */ (each[at]).root, 'data-wait', isFresh && wait?.place === id ? load : undefined)
    attribute(words, 'data-held', isFresh && wait?.isHeld)
    const retries =
      gauge.retries === 0
        ? ''
        : ` · ${counted(gauge.retries, 'retry', 'retries')}, ${count(Math.round(gauge.waitMs))} ms waited`
    if (!rates) return text(words, 'no progress reported for some seconds')
    const busy = `API busy ${percent(rates.api)}, database ${percent(rates.database)}`
    text(words, `${wait ? `${wait.words} · ${busy}` : 'has ended'}${retries}`)
  }
}

/** @param {number | undefined} value */
const rated = (value) => (value === undefined ? '–' : rate(value))

/** @param {number} part */
const percent = (part) => `${Math.round(part * 100)} %`

/** @typedef {ReturnType<typeof place>} Place */
