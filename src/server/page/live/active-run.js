// @ts-check
import { actionButton } from '../parts/action-button.js'
import { post } from '../data/api.js'
import { dataPath } from './data-path.js'
import { attribute, h, list, show, text } from '../parts/dom.js'
import { bytes } from '../parts/format.js'
import { statusMark } from '../parts/status-mark.js'
import { ratePlot, seriesOf } from './rate-plot.js'
import { backfillProgress } from '../map/backfill-progress.js'
import { timestamp } from '../parts/timestamp.js'
import { store } from '../data/store.js'
/** @typedef {import('../../schemas/resources.ts').ActiveRun} ActiveRun */

/** An active run: the data path of each stream, and rates over time. @param {string} run */
export function activeRun(run) {
  const [kind, title, started] = [
    statusMark('running'),
    h('a', { href: `#/run/${run}`, class: 'plain' }),
    timestamp('since'),
  ]
  const memory = h('span', { class: 'nowrap' })
  const cancel = cancelButton(run)
  const chains = h('div', { class: 'chains' })
  const drawn = ratePlot()
  const windows = backfillProgress()
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
      const progress = store.progressOf(run)
      const known = summary?.pipelines.find(({ pipeline }) => pipeline === its.pipeline)?.streams ?? []
      const active = new Set([...progress.streams, ...its.slices.map(({ stream }) => stream)])
      // In the order of the pipeline, as in the list of streams.
      const streams = [
        ...known.map(({ stream }) => stream).filter((stream) => active.has(stream)),
        ...[...active].filter((stream) => !known.some((one) => one.stream === stream)),
      ]
      kind.update(its.stopRequestedAt ? 'waiting' : 'running', its.stopRequestedAt ? 'stopping' : 'running')
      text(title, `${its.pipeline} · ${its.kind === 'sync' ? 'run' : its.kind} ${run}`)
      started.update(its.startedAt)
      const held = progress.gauge?.memory
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
          const part = dataPath(stream)
          return {
            root: part.root,
            update: ({ at, its }) =>
              part.update({
                progress,
                now: store.now,
                target: its?.table ?? null,
                counts: its?.runs.find((one) => one.run === run)?.counts,
                color: seriesOf(at),
              }),
          }
        },
      )
      drawn.update(streams, progress, now)
      const backfill =
        its.kind !== 'backfill'
          ? undefined
          : summary?.backfills.find(({ backfill, running, pipeline, stream }) =>
              progress.backfill === undefined
                ? running > 0 && pipeline === its.pipeline && streams.includes(stream)
                : backfill === progress.backfill,
            )
      show(windows.root, backfill !== undefined)
      if (backfill) windows.update(backfill)
    },
  }
}

/** Asks twice, because a cancelled run cannot be resumed from here. @param {string} run */
export function cancelButton(run) {
  const button = actionButton({
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
