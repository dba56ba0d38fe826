import type { Connection, Database } from '../../database/database.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import type { EventMessage } from '../schemas/resources.ts'
import { EVENT_CHANNEL, lastEvent, readEvents, type StoredEvent } from '../../ledger/read/read-events.ts'

/** Which events somebody wants. */
export interface EventFilter {
  readonly run?: string | undefined
  readonly pipeline?: string | undefined
}

export interface EventHubOptions {
  readonly hide: (text: string) => string
  /** Told when the database does not answer; it is asked again. */
  readonly onError?: ((error: unknown) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of events that are kept for those who are behind; who is further behind asks the database. @default 8 MB */
  readonly keepBytes?: number
}

/** A piece of the events in their order, as it is sent, and how far it goes. */
export interface EventChunk {
  readonly bytes: Buffer
  readonly to: number
}

interface RenderedEvent {
  readonly id: number
  readonly run: string | undefined
  readonly pipeline: string | undefined
  readonly bytes: Buffer
}

const MOST = 1_000
/**
 * Pieces that are kept until the next event: those who keep up share one, and of those who come back from many places
 * each would keep its own.
 */
const MOST_PIECES = 64
/** At most ten queries a second, however many write. */
const PAUSE_MS = 100
/** Without notifications, and as a safeguard with them. */
const ASK_MS = 1_000
const LISTENING_MS = 10_000

/**
 * All events of the ledger as they come, read once for all who watch: one connection that listens, one query each time
 * it is woken, one rendering of each event. The newest are kept, up to so many bytes; nobody's place in them is, so
 * whoever does not keep up costs nothing here.
 */
export class EventHub implements AsyncDisposable {
  readonly #database: Database
  readonly #options: EventHubOptions
  readonly #group: TaskGroup
  readonly #hearers = new Set<(event: StoredEvent) => void>()
  readonly #pieces = new Map<string, EventChunk>()
  #frames: RenderedEvent[] = []
  #bytes = 0
  /** Every event after this one is among the frames. */
  #floor: number
  #last: number
  #woken = Promise.withResolvers<void>()
  #changed = Promise.withResolvers<void>()
  #isListening = false

  private constructor(database: Database, last: number, options: EventHubOptions) {
    this.#database = database
    this.#options = options
    this.#floor = this.#last = last
    this.#group = new TaskGroup({ signal: options.signal })
    this.#group.spawn((signal) => this.#follow(signal))
    this.#group.spawn((signal) => this.#listen(signal))
  }

  static async open(database: Database, options: EventHubOptions): Promise<EventHub> {
    return new EventHub(database, Number(await lastEvent(database)), options)
  }

  /** The newest event that is here. */
  get last(): number {
    return this.#last
  }

  /** Be told of each event once, in order. It must not throw. */
  subscribe(hear: (event: StoredEvent) => void): Disposable {
    this.#hearers.add(hear)
    return { [Symbol.dispose]: () => void this.#hearers.delete(hear) }
  }

  /**
   * What comes after an event, up to so many bytes (but one event at least); undefined where that is no longer here,
   * and the database has to be asked.
   */
  chunkAfter(position: number, { run, pipeline }: EventFilter, limit: number): EventChunk | undefined {
    if (position < this.#floor) return undefined
    const key = `${position} ${limit} ${run ?? ''} ${pipeline ?? ''}`
    const known = this.#pieces.get(key)
    if (known) return known
    const chosen: Buffer[] = []
    let size = 0
    let to = this.#last
    for (let place = this.#placeAfter(position); place < this.#frames.length; place += 1) {
      const frame = this.#frames[place]!
      if ((run !== undefined && frame.run !== run) || (pipeline !== undefined && frame.pipeline !== pipeline)) continue
      if (size > 0 && size + frame.bytes.length > limit) {
        to = this.#frames[place - 1]!.id
        break
      }
      chosen.push(frame.bytes)
      size += frame.bytes.length
    }
    const piece = { bytes: chosen.length === 1 ? chosen[0]! : Buffer.concat(chosen), to }
    // Those who keep up ask the same.
    if (this.#pieces.size >= MOST_PIECES) this.#pieces.clear()
    this.#pieces.set(key, piece)
    return piece
  }

  /** The same from the database: for those who come back after long. */
  async readChunkAfter(position: number, filter: EventFilter, signal: AbortSignal): Promise<EventChunk> {
    const { last } = this
    const events = await readEvents(this.#database, { after: String(position), ...filter, limit: MOST / 4, signal })
    const all = events.length < MOST / 4
    return {
      bytes: Buffer.concat(events.map((event) => this.#render(event).bytes)),
      to: Math.max(all ? last : 0, Number(events.at(-1)?.id ?? position)),
    }
  }

  /** Until there are events after this one. */
  async waitBeyond(position: number, signal: AbortSignal): Promise<void> {
    while (this.#last <= position) await abortable(this.#changed.promise, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group[Symbol.asyncDispose]()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#woken = Promise.withResolvers()
      try {
        const events = await readEvents(this.#database, { after: String(this.#last), limit: MOST, signal })
        this.#publish(events)
        if (events.length === MOST) continue
      } catch (error) {
        signal.throwIfAborted()
        this.#options.onError?.(error)
        await sleep(ASK_MS, { signal })
      }
      await sleep(PAUSE_MS, { signal })
      using wait = deadline(signal, this.#isListening ? LISTENING_MS : ASK_MS)
      await abortable(this.#woken.promise, wait.signal).catch(() => signal.throwIfAborted())
    }
  }

  /**
   * A pooler swallows notifications, and shows by a backend of another name: then the database is asked every second.
   */
  async #listen(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await using connection = await this.#database.connection({ direct: true, signal })
        await this.#hearOn(connection, signal)
      } catch (error) {
        signal.throwIfAborted()
        this.#options.onError?.(error)
      }
      this.#isListening = false
      await sleep(ASK_MS, { signal })
    }
  }

  async #hearOn(connection: Connection, signal: AbortSignal): Promise<void> {
    await connection.listen(EVENT_CHANNEL, () => this.#woken.resolve())
    const { pid } = await connection.one<{ pid: number }>('select pg_backend_pid() as pid', [], { signal })
    this.#isListening = pid === connection.pid
    this.#woken.resolve()
    await abortable(connection.ended, signal)
  }

  #publish(events: readonly StoredEvent[]): void {
    if (events.length === 0) return
    this.#pieces.clear()
    for (const event of events) {
      const frame = this.#render(event)
      this.#frames.push(frame)
      this.#bytes += frame.bytes.length
      this.#last = frame.id
      for (const hear of this.#hearers) hear(event)
    }
    this.#forget()
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }

  #forget(): void {
    const most = this.#options.keepBytes ?? 8 << 20
    let gone = 0
    while (this.#bytes > most) this.#bytes -= this.#frames[gone++]!.bytes.length
    if (gone === 0) return
    this.#floor = this.#frames[gone - 1]!.id
    this.#frames = this.#frames.slice(gone)
  }

  #render({ id, run, pipeline, at, event }: StoredEvent): RenderedEvent {
    const message: EventMessage = { id, run: run ?? null, pipeline: pipeline ?? null, at: at.toISOString(), ...event }
    const text = this.#options.hide(JSON.stringify(message))
    return { id: Number(id), run, pipeline, bytes: Buffer.from(`id: ${id}\ndata: ${text}\n\n`) }
  }

  #placeAfter(position: number): number {
    let [low, high] = [0, this.#frames.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#frames[middle]!.id <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
