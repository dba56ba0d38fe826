import type { RunEvent } from '../../model/event.ts'
import { displayJson } from '../../value/json/stored-json.ts'

/** Queued events; beyond this number, events of single requests are dropped. */
const MAX_QUEUED = 10_000
/** Events of single requests in one transaction, so about 100 a second. `gauge` has the sums of all. */
const MAX_SINGLE = 25
const EXPENDABLE: ReadonlySet<RunEvent['type']> = new Set([
  'request.finished',
  'request.retried',
  'response.skipped',
  'waiting',
])

/**
 * Queues events for the ledger in the order in which they were emitted. It drops requests that succeeded, because a run
 * may send 1,000 a second; `gauge` has their sums.
 */
export class EventQueue {
  #waiting: string[] = []
  #leftOut = 0
  #single = 0

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#leftOut === 0
  }

  add(run: string, event: RunEvent): void {
    if (event.type === 'request.finished' && event.status >= 200 && event.status <= 399) return
    if (EXPENDABLE.has(event.type) && (this.#single += 1) > MAX_SINGLE && this.#waiting.length < MAX_QUEUED) return
    if (this.#waiting.length >= MAX_QUEUED && (EXPENDABLE.has(event.type) || this.#waiting.length >= 2 * MAX_QUEUED)) {
      this.#leftOut += 1
      return
    }
    if (this.#leftOut > 0) {
      const message = `${this.#leftOut} events were dropped, because the database did not store them fast enough`
      this.#leftOut = 0
      this.#add(run, { type: 'warning', message })
    }
    this.#add(run, event)
  }

  /** Takes all queued events as a JSON list. `putBack` queues them again if storing fails. */
  take(): { readonly json: string; readonly putBack: () => void } {
    const taken = this.#waiting
    this.#waiting = []
    this.#single = 0
    return {
      json: `[${taken.join(',')}]`,
      putBack: () => {
        this.#waiting = [...taken, ...this.#waiting]
      },
    }
  }

  #add(run: string, event: RunEvent): void {
    this.#waiting.push(displayJson({ run, at: new Date().toISOString(), data: event }))
  }
}
