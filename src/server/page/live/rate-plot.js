// @ts-check
// eslint-disable-next-line import/default, import/no-absolute-path -- its URL; tsconfig.json has its types
import uPlot from '/uplot/uPlot.esm.js'
import { attribute, h, list, text } from '../parts/dom.js'
import { pastSeconds } from './run-progress.js'
import { rate, short } from '../parts/format.js'
import { colour, onTheme } from '../parts/theme.js'
/** @typedef {import('./run-progress.js').RunProgress} RunProgress */

const height = 170
const two = (/** @type {number} */ value) => String(value).padStart(2, '0')

/** Rows per second of each stream over the last three minutes, with the current rates below. */
export function ratePlot() {
  const canvas = h('div', { class: 'plot-canvas', 'aria-hidden': 'true' })
  const legend = h('ul', { class: 'plot-legend', 'aria-label': 'Current rows per second' })
  const root = h(
    'figure',
    { class: 'plot' },
    h('figcaption', { class: 'small muted' }, 'rows/s stored, last 3 minutes'),
    canvas,
    legend,
  )
  /** @type {uPlot | undefined} */
  let drawn
  /** @type {readonly string[]} */
  let streams = []
  let width = 0

  const remake = () => {
    drawn?.destroy()
    drawn =
      width > 0 && streams.length > 0
        ? new uPlot(options(streams, width), [[], ...streams.map(() => [])], canvas)
        : undefined
  }
  const resize = new ResizeObserver(([entry]) => {
    const next = Math.floor(entry?.contentRect.width ?? 0)
    if (next === width || next === 0) return
    width = next
    if (drawn) drawn.setSize({ width, height })
    else remake()
  })
  resize.observe(canvas)
  const stop = onTheme(remake)
  return {
    root,
    /** Removes the listeners, which would keep the plot alive. */
    end: () => {
      stop()
      resize.disconnect()
      drawn?.destroy()
    },
    /** @param {readonly string[]} names @param {RunProgress} progress @param {number} now */
    update: (names, progress, now) => {
      if (names.join('\n') !== streams.join('\n')) {
        streams = [...names]
        remake()
      }
      // Without the current second, which would always look like a fall.
      const start = Math.floor(now / 1_000) - pastSeconds - 1
      drawn?.setData([
        Array.from({ length: pastSeconds + 1 }, (_, second) => start + second),
        ...streams.map((stream) => progress.series(stream, start)),
      ])
      list(
        legend,
        streams.map((stream, at) => ({ stream, at, now: progress.rates(stream, now)?.stored })),
        ({ stream }) => stream,
        () => legendLine(),
      )
    },
  }
}

function legendLine() {
  const [swatch, name, value] = [
    h('span', { class: 'swatch', 'aria-hidden': 'true' }),
    h('span', { class: 'clip' }),
    h('span', { class: 'number' }),
  ]
  return {
    root: h('li', {}, swatch, name, value),
    /** @param {{ stream: string, at: number, now: number | undefined }} line */
    update: ({ stream, at, now }) => {
      attribute(swatch, 'data-series', seriesOf(at))
      text(name, stream)
      text(value, now === undefined ? '–' : `${rate(now)}/s`)
    },
  }
}

/** Returns the number of the stream's colour, 1 to 6. @param {number} at its index */
export const seriesOf = (at) => (at % 6) + 1

/**
 * Colours repeat after six streams: further lines are dashed. @param {readonly string[]} streams
 * @param {number} width @returns {uPlot.Options}
 */
function options(streams, width) {
  const [muted, line] = [colour('muted'), colour('line')]
  const font = `11px ${colour('text')}`
  /** @type {uPlot.Axis} */
  const axis = { stroke: muted, font, grid: { stroke: line, width: 1 }, ticks: { show: false } }
  return {
    width,
    height,
    padding: [8, 28, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(10, (most ?? 0) * 1.1)] } },
    axes: [
      {
        ...axis,
        size: 24,
        space: 70,
        grid: { show: false },
        values: (_, seconds) => seconds.map((second) => clockOf(second)),
      },
      { ...axis, size: 44, space: 34, values: (_, values) => values.map((value) => short(value)) },
    ],
    series: [
      {},
      ...streams.map((label, at) => {
        const stroke = colour(`series-${seriesOf(at)}`)
        return {
          label,
          stroke,
          width: 1.8,
          ...(streams.length === 1 && { fill: `color-mix(in srgb, ${stroke} 14%, transparent)` }),
          ...(at >= 6 && { dash: [6, 4] }),
          points: { show: false },
        }
      }),
    ],
  }
}

/** @param {number} seconds since 1970 */
function clockOf(seconds) {
  const date = new Date(seconds * 1_000)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
