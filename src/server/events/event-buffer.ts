/** Selects events; without a member it selects all. */
export interface EventFilter {
  readonly run?: string | undefined
  readonly pipeline?: string | undefined
}

/** Consecutive events in the form in which they are sent. A client that has received it continues after `to`. */
export interface EventChunk {
  readonly bytes: Buffer
  readonly to: number
}

export interface RenderedEvent {
  readonly id: number
  readonly run: string | undefined
  readonly pipeline: string | undefined
  readonly bytes: Buffer
}

/** Clients that keep up share one chunk; clients that resume from many positions would each keep their own. */
const MAX_CHUNKS = 64

/** The newest rendered events, up to a number of bytes. It keeps nothing for a client, so a slow one costs nothing. */
export class EventBuffer {
  readonly #keepBytes: number
  readonly #chunks = new Map<string, EventChunk>()
  #events: RenderedEvent[] = []
  #bytes = 0
  /** Every event after this one is in the buffer. */
  #floor: number
  #last: number

  constructor(last: number, keepBytes: number) {
    this.#floor = this.#last = last
    this.#keepBytes = keepBytes
  }

  /** The id of the newest event. */
  get last(): number {
    return this.#last
  }

  add(event: RenderedEvent): void {
    this.#chunks.clear()
    this.#events.push(event)
    this.#bytes += event.bytes.length
    this.#last = event.id
  }

  /** Drops the oldest events until the rest fits. */
  trim(): void {
    const kept = this.#events.findIndex((event) => {
      if (this.#bytes <= this.#keepBytes) return true
      this.#bytes -= event.bytes.length
      this.#floor = event.id
      return false
    })
    if (kept !== 0) this.#events = kept < 0 ? [] : this.#events.slice(kept)
  }

  /**
   * Returns the events after a position, up to `limit` bytes but at least one event; undefined if the buffer no longer
   * has all of them.
   */
  chunkAfter(position: number, { run, pipeline }: EventFilter, limit: number): EventChunk | undefined {
    if (position < this.#floor) return undefined
    const key = `${position} ${limit} ${run ?? ''} ${pipeline ?? ''}`
    const known = this.#chunks.get(key)
    if (known) return known
    const chosen: Buffer[] = []
    let size = 0
    let to = position
    for (const event of this.#eventsAfter(position)) {
      const isWanted =
        (run === undefined || event.run === run) && (pipeline === undefined || event.pipeline === pipeline)
      if (isWanted && size > 0 && size + event.bytes.length > limit) break
      to = event.id
      if (!isWanted) continue
      chosen.push(event.bytes)
      size += event.bytes.length
    }
    const [first] = chosen
    const bytes = first && chosen.length === 1 ? first : Buffer.concat(chosen)
    const chunk = { bytes, to }
    if (this.#chunks.size >= MAX_CHUNKS) this.#chunks.clear()
    this.#chunks.set(key, chunk)
    return chunk
  }

  /** Yields the events after a position. The first is found by bisection: the buffer may hold many. */
  *#eventsAfter(position: number): Generator<RenderedEvent> {
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#events[middle]?.id ?? Infinity) <= position) low = middle + 1
      else high = middle
    }
    for (let index = low; index < this.#events.length; index += 1) {
      const event = this.#events[index]
      if (event) yield event
    }
  }
}
