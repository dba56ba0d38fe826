import type { Connection } from '../../database/database.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import type { RunEvent } from '../../model/event.ts'
import { EventQueue } from './event-queue.ts'

/** At most four transactions a second. */
const GATHER_MS = 250

/** Stores events in `sluice.events`, in the order in which they were emitted. */
export class EventWriter {
  readonly #queue = new EventQueue()
  #emitted = Promise.withResolvers<void>()
  #storing: Promise<void> = Promise.resolve()

  /** Queues an event. Never throws and never waits. */
  emit(run: string, event: RunEvent): void {
    this.#queue.add(run, event)
    this.#emitted.resolve()
  }

  /** Stores events as they come, until the signal aborts or storing fails; then what was not stored is queued again. */
  async write(connection: Connection, signal: AbortSignal): Promise<never> {
    for (;;) {
      await abortable(this.#emitted.promise, signal)
      this.#emitted = Promise.withResolvers()
      await this.store(connection)
      await sleep(GATHER_MS, { signal })
    }
  }

  /** Stores all queued events. Calls run one after another, which keeps the order. */
  store(connection: Connection, timeoutMs?: number): Promise<void> {
    this.#storing = this.#storeAfter(this.#storing, connection, timeoutMs)
    return this.#storing
  }

  async #storeAfter(earlier: Promise<void>, connection: Connection, timeoutMs: number | undefined): Promise<void> {
    await earlier.catch(() => {})
    if (this.#queue.isEmpty) return
    const { json, putBack } = this.#queue.take()
    try {
      await connection.query(
        'select sluice.write_events($1::json)',
        [json],
        timeoutMs === undefined ? {} : { timeoutMs },
      )
    } catch (error) {
      putBack()
      this.#emitted.resolve()
      throw error
    }
  }
}
