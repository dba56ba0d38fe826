// @ts-check
import { attribute, h, show, text } from '../parts/dom.js'
import { waits } from './run-rates.js'
import { bytes, count, counted, rate } from '../parts/format.js'
import { rowsOf } from '../parts/run-bars.js'
/** @typedef {import('./run-rates.js').RunFlow} RunFlow */

/** The way of a stream's data, in its order; each place with what it is for whoever hears it. */
const places = /** @type {const} */ ([
  ['api', 'API'],
  ['ahead', 'Read ahead'],
  ['stages', 'Stages'],
  ['batch', 'Batch'],
  ['table', 'Table'],
])

/** One place on the way: a name, a number, and what else there is to say. @param {string} id @param {string} name */
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
     * @param {string} number @param {string} its @param {string} more @param {number} [busy] which part of the time it
     * works
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
 * From the API to the table, for one stream of a run: how fast, how much waits in between, and who waits for whom.
 * @param {string} stream
 */
export function chain(stream) {
  const each = places.map(([id, name]) => place(id, name))
  const [api, ahead, stages, batch, table] = /** @type {[Place, Place, Place, Place, Place]} */ (each)
  const words = h('p', { class: 'chain-words' })
  const name = h('h4', { class: 'chain-name' }, stream)
  const root = h(
    'div',
    { class: 'chain', 'data-stream': stream },
    h('div', { class: 'chain-head' }, name, words),
    h(
      'ol',
      { class: 'way', 'aria-label': `The way of ${stream} from the API to the table` },
      ...each.map(({ root }) => root),
    ),
  )
  return {
    root,
    /**
     * `counts` are the ledger's, of this run. @param {{ flow: RunFlow, now: number, target: string | null, counts:
     * import('../../schemas/resources.ts').Counts | undefined, color: number }} how
     */
    update: ({ flow, now, target, counts, color }) => {
      attribute(name, 'data-series', color)
      const gauge = flow.gauge?.streams[stream]
      const rates = flow.rates(stream, now)
      attribute(root, 'data-silent', rates === undefined)
      text(table.title, target ?? 'Table')
      attribute(table.title, 'title', target ?? undefined)
      if (!gauge) {
        for (const part of each) part.update('–', '', '')
        text(words, 'has not told anything yet')
        return
      }
      const last = flow.batches.get(stream)
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
      // The ledger's own number, as everywhere else on the page; the gauge's is a second old.
      const stored = counts ? rowsOf(counts) : gauge.stored
      table.update(count(stored), stored === 1 ? 'row' : 'rows', `${rated(rates?.stored)} rows/s`, rates?.database)
      speak(gauge, rates)
    },
  }

  /** @param {import('../../schemas/resources.ts').StreamState} gauge @param {ReturnType<RunFlow['rates']>} rates */
  function speak(gauge, rates) {
    const isFresh = rates !== undefined
    const wait = gauge.waitsFor === null ? undefined : waits[gauge.waitsFor]
    for (const [at, [id]] of places.entries())
      attribute(
        /** @type {Place} */ (each[at]).root,
        'data-wait',
        isFresh && wait?.place === id ? (wait.isHeld ? 'held' : 'slowest') : undefined,
      )
    attribute(words, 'data-held', isFresh && wait?.isHeld)
    const retries =
      gauge.retries === 0
        ? ''
        : ` · ${counted(gauge.retries, 'retry', 'retries')}, ${count(Math.round(gauge.waitMs))} ms waited`
    text(
      words,
      !rates
        ? 'no word from this run for some seconds'
        : `${wait ? `${wait.words} · API busy ${percent(rates.api)}, database ${percent(rates.database)}` : 'has ended'}${retries}`,
    )
  }
}

/** @param {number | undefined} value */
const rated = (value) => (value === undefined ? '–' : rate(value))

/** @param {number} part */
const percent = (part) => `${Math.round(part * 100)} %`

/** @typedef {ReturnType<typeof place>} Place */
