// @ts-check
import { act } from '../parts/action-button.js'
import { post } from '../data/api.js'
import { chain } from './data-path.js'
import { attribute, h, list, show, text } from '../parts/dom.js'
import { bytes } from '../parts/format.js'
import { mark } from '../parts/status-mark.js'
import { plot, seriesOf } from './rate-plot.js'
import { share } from '../map/backfill-progress.js'
import { stamp } from '../parts/timestamp.js'
import { store } from '../data/store.js'
/** @typedef {import('../../schemas/resources.ts').ActiveRun} ActiveRun */

/** How a run goes now: each of its streams from the API to the table, and its rates over time. @param {string} run */
export function running(run) {
  const [kind, title, started] = [mark('running'), h('a', { href: `#/run/${run}`, class: 'plain' }), stamp('since')]
  const memory = h('span', { class: 'nowrap' })
  const cancel = cancelButton(run)
  const chains = h('div', { class: 'chains' })
  const drawn = plot()
  const windows = share()
  const root = h(
    'article',
    { class: 'card run', 'data-run': run, 'aria-label': `Run ${run}` },
    h(
      'header',
      { class: 'run-head' },
      kind.root,
      h('h3', {}, title),
      h('span', { class: 'muted small run-facts' }, h('span', { class: 'nowrap' }, 'for ', started.root), memory),
      cancel.root,
    ),
    h('div', { class: 'run-body' }, h('div', {}, windows.root, chains), drawn.root),
  )
  return {
    root,
    end: drawn.end,
    /** @param {ActiveRun} its */
    update: (its) => {
      const { now, summary } = store
      const flow = store.flow(run)
      const known = summary?.pipelines.find(({ pipeline }) => pipeline === its.pipeline)?.streams ?? []
      const told = new Set([...flow.streams, ...its.slices.map(({ stream }) => stream)])
      // In the pipeline's own order, as below.
      const streams = [
        ...known.map(({ stream }) => stream).filter((stream) => told.has(stream)),
        ...[...told].filter((stream) => !known.some((one) => one.stream === stream)),
      ]
      kind.update(its.stopRequestedAt ? 'waiting' : 'running', its.stopRequestedAt ? 'stopping' : 'running')
      text(title, `${its.pipeline} · ${its.kind === 'sync' ? 'run' : its.kind} ${run}`)
      started.update(its.startedAt)
      const held = flow.gauge?.memory
      text(
        memory,
        held
          ? `${bytes(held.used)} of ${bytes(held.limit)} memory${held.waiting > 0 ? `, ${held.waiting} waiting` : ''}`
          : '',
      )
      cancel.update(its.stopRequestedAt !== null)
      list(
        chains,
        streams.map((stream, at) => ({ stream, at, its: known.find((one) => one.stream === stream) })),
        ({ stream }) => stream,
        ({ stream }) => {
          const part = chain(stream)
          return {
            root: part.root,
            update: ({ at, its }) =>
              part.update({
                flow,
                now: store.now,
                target: its?.table ?? null,
                counts: its?.runs.find((one) => one.run === run)?.counts,
                color: seriesOf(at),
              }),
          }
        },
      )
      drawn.update(streams, flow, now)
      const backfill =
        its.kind !== 'backfill'
          ? undefined
          : summary?.backfills.find(({ backfill, running, pipeline, stream }) =>
              flow.backfill === undefined
                ? running > 0 && pipeline === its.pipeline && streams.includes(stream)
                : backfill === flow.backfill,
            )
      show(windows.root, backfill !== undefined)
      if (backfill) windows.update(backfill)
    },
  }
}

/** Cancelling is asked for twice, since it cannot be taken back. @param {string} run */
export function cancelButton(run) {
  const button = act({
    label: 'Cancel',
    name: `Cancel run ${run}`,
    confirm: 'Cancel it now?',
    ask: async (key) => {
      await post(`/api/runs/${encodeURIComponent(run)}/cancel`, {}, key)
      store.refresh()
      return 'asked to stop'
    },
  })
  return {
    root: button.root,
    /** @param {boolean} isAsked */
    update: (isAsked) => attribute(button.button, 'disabled', isAsked),
  }
}
