// @ts-check
import { get } from './api.js'
import { RunProgress } from '../live/run-progress.js'
import { listen } from './event-source.js'
/** @typedef {import('../../schemas/resources.ts').Summary} Summary */
/** @typedef {import('./event-source.js').EventMessage} EventMessage */

/** The shortest interval of summaries, and the interval without events. */
const [BUSY_MS, QUIET_MS] = [1_000, 10_000]
const RETRY_MS = 2_000
/** Without an answer for this long the page is not live. */
const STALE_MS = 25_000

/**
 * The data of the page: the summary, which is read again after events, and the progress of active runs.
 */
class Store extends EventTarget {
  /** @type {Summary | undefined} */
  summary
  /** @type {Map<string, RunProgress>} */
  runs = new Map()
  /** The error of the last request. @type {Error | undefined} */
  error
  isOpen = false
  /** Time of the last answer by the browser's clock; 0: none yet. */
  answered = 0
  /** The server's clock minus the browser's. */
  #offset = 0
  #asking = false
  #again = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #next = 0

  /** The time by the server's clock. */
  get now() {
    return Date.now() + this.#offset
  }

  /** @returns {'connecting' | 'live' | 'reconnecting'} */
  get state() {
    if (this.answered === 0) return this.error ? 'reconnecting' : 'connecting'
    return this.isOpen && !this.error && Date.now() - this.answered < STALE_MS ? 'live' : 'reconnecting'
  }

  async start() {
    await this.#ask()
    // The events continue where the first summary ends.
    if (!this.summary) return void setTimeout(() => this.start(), RETRY_MS)
    listen(this.summary.event, {
      onEvent: (event) => this.#onEvent(event),
      gap: () => this.refresh(),
      isOpen: (open) => {
        this.isOpen = open
        this.#changed('connection')
        this.refresh()
      },
    })
    document.addEventListener('visibilitychange', () => document.hidden || this.refresh())
  }

  /** Reads the summary again soon. */
  refresh() {
    this.#plan(Math.max(0, this.answered + BUSY_MS - Date.now()))
  }

  /** @param {string} run */
  progressOf(run) {
    let progress = this.runs.get(run)
    if (!progress) this.runs.set(run, (progress = new RunProgress()))
    return progress
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
      for (const { run, gauge } of summary.running) if (gauge) this.progressOf(run).take(gauge, Date.parse(gauge.at))
      const known = new Set([...summary.running, ...summary.lastRuns].map(({ run }) => run))
      for (const run of this.runs.keys())
        if (!known.has(run) && Number(run) < Math.max(...[...known].map(Number))) this.runs.delete(run)
      this.#changed('summary')
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error))
      this.#changed('connection')
    } finally {
      this.#asking = false
    }
    const pauseMs = this.error ? RETRY_MS : QUIET_MS
    this.#plan(this.#again ? BUSY_MS : pauseMs)
  }

  /** @param {EventMessage} event */
  #onEvent(event) {
    const time = Date.parse(event.at)
    if (event.run !== null && event.run !== undefined) this.#follow(this.progressOf(event.run), event, time)
    // The summary includes the events from before the page was opened.
    if (event.type !== 'gauge' && this.summary && BigInt(event.id) > BigInt(this.summary.event)) this.refresh()
    this.dispatchEvent(new CustomEvent('event', { detail: event }))
  }

  /** @param {RunProgress} progress @param {EventMessage} event @param {number} time */
  #follow(progress, event, time) {
    if (event.type === 'gauge') progress.take(event, time)
    else if (event.type === 'backfill.planned') progress.backfill = event.backfill
    else if (event.type === 'batch.committed')
      progress.batches.set(event.stream, {
        seq: event.seq,
        rows: event.counts.fetched + event.counts.expanded,
        ms: event.ms,
      })
    else if (event.type === 'request.retried')
      progress.retries.set(event.stream, { time, reason: event.reason, attempt: event.attempt })
  }

  /** @param {'summary' | 'connection'} what */
  #changed(what) {
    this.dispatchEvent(new Event(what))
  }
}

export const store = new Store()

/**
 * Calls back when the summary was read, or the connection has changed, until the signal aborts.
 * @param {'summary' | 'connection'} what
 * @param {() => void} listener
 * @param {AbortSignal} signal
 */
export const on = (what, listener, signal) => store.addEventListener(what, listener, { signal })

/**
 * Calls back for every event until the signal aborts. @param {(event: EventMessage) => void} listener @param
 * {AbortSignal} signal
 */
export const onEvent = (listener, signal) =>
  store.addEventListener('event', (event) => listener(/** @type {CustomEvent<EventMessage>} */ (event).detail), {
    signal,
  })
