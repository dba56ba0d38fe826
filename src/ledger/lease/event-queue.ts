import type { RunEvent } from '../../model/event.ts'
import { displayJson } from '../../value/json/stored-json.ts'

/** Events that may wait to be stored; beyond it, those of single requests are left out. */
const LIMIT = 10_000
/** Of single retries and waits, in one transaction: a hundred a second. `gauge` has them all, as sums. */
const SINGLE = 25
const expendable: ReadonlySet<RunEvent['type']> = new Set(['request.finished', 'request.retried', 'waiting'])

/**
 * Events on their way to the ledger, in the order in which they happened. A request that was answered well is none of
 * them: a run may make a thousand in a second, and `gauge` tells their sums.
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
    if (expendable.has(event.type) && (this.#single += 1) > SINGLE && this.#waiting.length < LIMIT) return
    if (this.#waiting.length >= LIMIT && (expendable.has(event.type) || this.#waiting.length >= 2 * LIMIT)) {
      this.#leftOut += 1
      return
    }
    if (this.#leftOut > 0) {
      const message = `${this.#leftOut} events were not kept, since the database did not take them fast enough`
      this.#leftOut = 0
      this.#add(run, { type: 'warning', message })
    }
    this.#add(run, event)
  }

  /** All that wait, as one JSON list; `putBack` them where storing fails. */
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
