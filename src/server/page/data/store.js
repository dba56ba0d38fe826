// @ts-check
import { get } from './api.js'
import { RunFlow } from '../live/run-rates.js'
import { listen } from './event-source.js'
/** @typedef {import('../../schemas/resources.ts').Summary} Summary */
/** @typedef {import('./event-source.js').EventMessage} EventMessage */

/** The ledger is asked again at most this often while things happen, and this often when nothing does. */
const [busyMs, quietMs] = [1_000, 10_000]
/** Longer without an answer, and what is on the page is not how things are. */
const staleMs = 25_000

/**
 * What the page knows: the ledger's own numbers, asked again whenever an event says that they have changed, and the
 * gauges of what runs.
 */
class Store extends EventTarget {
  /** @type {Summary | undefined} */
  summary
  /** @type {Map<string, RunFlow>} */
  flows = new Map()
  /** What the last question failed with. @type {Error | undefined} */
  error
  isOpen = false
  /** When the last answer came, by our clock; 0: none yet. */
  answered = 0
  /** The server's clock less ours. */
  #offset = 0
  #asking = false
  #again = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #next = 0

  /** The time as the server has it. */
  get now() {
    return Date.now() + this.#offset
  }

  /** @returns {'connecting' | 'live' | 'reconnecting'} */
  get state() {
    if (this.answered === 0) return this.error ? 'reconnecting' : 'connecting'
    return this.isOpen && !this.error && Date.now() - this.answered < staleMs ? 'live' : 'reconnecting'
  }

  async start() {
    await this.#ask()
    // Nothing of the page is shown before there is something to show; then it listens from there.
    if (!this.summary) return void setTimeout(() => this.start(), 2_000)
    listen(this.summary.event, {
      told: (event) => this.#told(event),
      gap: () => this.refresh(),
      isOpen: (open) => {
        this.isOpen = open
        this.#changed('connection')
        this.refresh()
      },
    })
    document.addEventListener('visibilitychange', () => document.hidden || this.refresh())
  }

  /** Ask the ledger again soon. */
  refresh() {
    this.#plan(Math.max(0, this.answered + busyMs - Date.now()))
  }

  /** @param {string} run */
  flow(run) {
    let flow = this.flows.get(run)
    if (!flow) this.flows.set(run, (flow = new RunFlow()))
    return flow
  }

  /** @param {number} ms */
  #plan(ms) {
    const at = Date.now() + ms
    if (this.#timer !== undefined && this.#next <= at) return
    clearTimeout(this.#timer)
    this.#next = at
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#ask()
    }, ms)
  }

  async #ask() {
    if (this.#asking) return void (this.#again = true)
    this.#asking = true
    this.#again = false
    try {
      /** @type {Summary} */
      const summary = await get('/api/summary')
      this.summary = summary
      this.error = undefined
      this.answered = Date.now()
      this.#offset = Date.parse(summary.at) - this.answered
      for (const { run, gauge } of summary.running) if (gauge) this.flow(run).take(gauge, Date.parse(gauge.at))
      const known = new Set([...summary.running, ...summary.lastRuns].map(({ run }) => run))
      for (const run of this.flows.keys())
        if (!known.has(run) && Number(run) < Math.max(...[...known].map(Number))) this.flows.delete(run)
      this.#changed('summary')
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error))
      this.#changed('connection')
    } finally {
      this.#asking = false
    }
    this.#plan(this.#again ? busyMs : this.error ? 2_000 : quietMs)
  }

  /** @param {EventMessage} event */
  #told(event) {
    const time = Date.parse(event.at)
    if (event.run !== null && event.run !== undefined) this.#follow(this.flow(event.run), event, time)
    // Those from before the page was opened are in the summary already.
    if (event.type !== 'gauge' && this.summary && BigInt(event.id) > BigInt(this.summary.event)) this.refresh()
    this.dispatchEvent(new CustomEvent('told', { detail: event }))
  }

  /** @param {RunFlow} flow @param {EventMessage} event @param {number} time */
  #follow(flow, event, time) {
    if (event.type === 'gauge') flow.take(event, time)
    else if (event.type === 'backfill.planned') flow.backfill = event.backfill
    else if (event.type === 'batch.committed')
      flow.batches.set(event.stream, {
        seq: event.seq,
        rows: event.counts.fetched + event.counts.expanded,
        ms: event.ms,
      })
    else if (event.type === 'request.retried')
      flow.retries.set(event.stream, { time, reason: event.reason, attempt: event.attempt })
  }

  /** @param {'summary' | 'connection'} what */
  #changed(what) {
    this.dispatchEvent(new Event(what))
  }
}

export const store = new Store()

/**
 * Call back when the summary has come, or the connection changed, until the view is left.
 * @param {'summary' | 'connection'} what
 * @param {() => void} listener
 * @param {AbortSignal} signal
 */
export const on = (what, listener, signal) => store.addEventListener(what, listener, { signal })

/**
 * Call back for every event that is told, until the view is left. @param {(event: EventMessage) => void} listener @param
 * {AbortSignal} signal
 */
export const onTold = (listener, signal) =>
  store.addEventListener('told', (event) => listener(/** @type {CustomEvent<EventMessage>} */ (event).detail), {
    signal,
  })
