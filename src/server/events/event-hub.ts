import type { Connection, Database } from '../../database/database.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { EVENT_CHANNEL, lastEvent, readEvents, type StoredEvent } from '../../ledger/read/read-events.ts'
import type { EventMessage } from '../schemas/resources.ts'
import { EventBuffer, type EventChunk, type EventFilter, type RenderedEvent } from './event-buffer.ts'

export interface EventHubOptions {
  /** Replaces secrets in a text. */
  readonly hide: (text: string) => string
  /** Called when the database cannot be read; the hub retries. */
  readonly onError?: ((error: unknown) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of events kept for clients that are behind; older events are read from the database. @default 8 MB */
  readonly keepBytes?: number
}

/** Events of one query. */
const MAX_EVENTS = 1_000
/** Events of one query for a client that is far behind. */
const MAX_STORED_EVENTS = 250
/** Limits the hub to ten queries a second, however many runs write events. */
const PAUSE_MS = 100
/** The interval of queries without notifications. */
const POLL_MS = 1_000
/** The interval of queries with notifications, as a safeguard. */
const LISTENING_POLL_MS = 10_000

/**
 * Follows the events of the ledger for all clients of this server: one connection that listens, one query for each
 * notification, one rendering of each event.
 */
export class EventHub implements AsyncDisposable {
  readonly #database: Database
  readonly #options: EventHubOptions
  readonly #group: TaskGroup
  readonly #subscribers = new Set<(event: StoredEvent) => void>()
  readonly #buffer: EventBuffer
  #notified = Promise.withResolvers<void>()
  #changed = Promise.withResolvers<void>()
  #isListening = false

  private constructor(database: Database, last: number, options: EventHubOptions) {
    this.#database = database
    this.#options = options
    this.#buffer = new EventBuffer(last, options.keepBytes ?? 8 << 20)
    this.#group = new TaskGroup({ signal: options.signal })
    this.#group.spawn((signal) => this.#follow(signal))
    this.#group.spawn((signal) => this.#listen(signal))
  }

  static async open(database: Database, options: EventHubOptions): Promise<EventHub> {
    return new EventHub(database, Number(await lastEvent(database)), options)
  }

  /** The id of the newest event. */
  get last(): number {
    return this.#buffer.last
  }

  /** Calls back for each event once, in order, until it is disposed. The callback must not throw. */
  subscribe(onEvent: (event: StoredEvent) => void): Disposable {
    this.#subscribers.add(onEvent)
    return { [Symbol.dispose]: () => void this.#subscribers.delete(onEvent) }
  }

  /**
   * Returns the events after a position, up to `limit` bytes but at least one event; undefined if they are only in the
   * database.
   */
  chunkAfter(position: number, filter: EventFilter, limit: number): EventChunk | undefined {
    return this.#buffer.chunkAfter(position, filter, limit)
  }

  /** Reads events after a position from the database, for a client that is far behind. */
  async readChunkAfter(position: number, filter: EventFilter, signal: AbortSignal): Promise<EventChunk> {
    const { last } = this
    const after = String(position)
    const events = await readEvents(this.#database, { after, ...filter, limit: MAX_STORED_EVENTS, signal })
    const isComplete = events.length < MAX_STORED_EVENTS
    return {
      bytes: Buffer.concat(events.map((event) => this.#render(event).bytes)),
      to: Math.max(isComplete ? last : 0, Number(events.at(-1)?.id ?? position)),
    }
  }

  /** Waits until there are events after a position. */
  async waitBeyond(position: number, signal: AbortSignal): Promise<void> {
    while (this.last <= position) await abortable(this.#changed.promise, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group[Symbol.asyncDispose]()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#notified = Promise.withResolvers()
      try {
        const events = await readEvents(this.#database, { after: String(this.last), limit: MAX_EVENTS, signal })
        this.#publish(events)
        if (events.length === MAX_EVENTS) continue
      } catch (error) {
        signal.throwIfAborted()
        this.#options.onError?.(error)
        await sleep(POLL_MS, { signal })
      }
      await sleep(PAUSE_MS, { signal })
      using wait = deadline(signal, this.#isListening ? LISTENING_POLL_MS : POLL_MS)
      await abortable(this.#notified.promise, wait.signal).catch(() => signal.throwIfAborted())
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await using connection = await this.#database.connection({ direct: true, signal })
        await this.#listenOn(connection, signal)
      } catch (error) {
        signal.throwIfAborted()
        this.#options.onError?.(error)
      }
      this.#isListening = false
      await sleep(POLL_MS, { signal })
    }
  }

  /** A pooler drops notifications. It is recognized by its backend, which is not the one that was connected to. */
  async #listenOn(connection: Connection, signal: AbortSignal): Promise<void> {
    await connection.listen(EVENT_CHANNEL, () => this.#notified.resolve())
    const { pid } = await connection.one<{ pid: number }>('select pg_backend_pid() as pid', [], { signal })
    this.#isListening = pid === connection.pid
    this.#notified.resolve()
    await abortable(connection.ended, signal)
  }

  #publish(events: readonly StoredEvent[]): void {
    if (events.length === 0) return
    for (const event of events) {
      this.#buffer.add(this.#render(event))
      for (const onEvent of this.#subscribers) onEvent(event)
    }
    this.#buffer.trim()
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }

  #render({ id, run, pipeline, at, event }: StoredEvent): RenderedEvent {
    const message: EventMessage = { id, run: run ?? null, pipeline: pipeline ?? null, at: at.toISOString(), ...event }
    const text = this.#options.hide(JSON.stringify(message))
    return { id: Number(id), run, pipeline, bytes: Buffer.from(`id: ${id}\ndata: ${text}\n\n`) }
  }
}
