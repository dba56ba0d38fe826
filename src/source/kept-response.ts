import type { MemoryAccount, SpareHold, SpareMemory } from '../flow/memory-account.ts'
import type { DecodedResponse } from '../model/scope.ts'

/** Larger bodies are not kept. They are requested again. */
const MAX_BYTES = 1 << 20

/** A response that one reader of a list has requested, for the others: until each has taken or dropped it. */
export class KeptResponse {
  readonly key: string
  /** The size of the response; undefined if it is not kept, or if the request has failed. */
  readonly received: Promise<number | undefined>
  readonly #readers: Set<Disposable>
  readonly #memory: SpareMemory
  #response: DecodedResponse | undefined
  #hold: SpareHold | undefined

  /** `readers` are disposed if the memory is needed elsewhere: they read by themselves then. */
  constructor(key: string, response: Promise<DecodedResponse>, readers: readonly Disposable[], memory: SpareMemory) {
    this.key = key
    this.#readers = new Set(readers)
    this.#memory = memory
    this.received = response.then(
      (received) => this.#keep(received),
      () => undefined,
    )
  }

  /** True if it has come, and is kept. */
  get isHeld(): boolean {
    return this.#response !== undefined
  }

  /**
   * Returns the response for a reader, with memory of the reader's own; undefined if it was given up. The reader has
   * taken it then.
   */
  async copyFor(
    reader: Disposable,
    { memory, signal }: { readonly memory: MemoryAccount; readonly signal: AbortSignal },
  ): Promise<DecodedResponse | undefined> {
    const response = this.#response
    if (!response) return undefined
    try {
      // Nobody else needs it: the memory goes with it, so that there is nothing to wait for.
      if (this.#hold && this.#readers.size === 1 && this.#readers.has(reader)) {
        const hold = await this.#hold.moveTo(memory, { signal })
        return { ...response, hold }
      }
      const hold = await memory.reserve(response.bytes, { signal })
      return { ...copyOf(response), hold }
    } finally {
      this.drop(reader)
    }
  }

  /** The reader does not need it any more. */
  drop(reader: Disposable): void {
    this.#readers.delete(reader)
    if (this.#readers.size === 0) this.#release()
  }

  /** The stages of the reader that has sent the request may change the records of the response itself. */
  #keep(response: DecodedResponse): number | undefined {
    const { parts, faults, bytes } = response
    if (parts || faults || bytes > MAX_BYTES || this.#readers.size === 0) return undefined
    this.#hold = this.#memory.hold(bytes, () => this.#giveUp())
    if (!this.#hold) return undefined
    try {
      this.#response = copyOf(response)
      return bytes
    } catch {
      // It is nested too deeply to be copied.
      this.#release()
      return undefined
    }
  }

  #giveUp(): void {
    const readers = [...this.#readers]
    this.#readers.clear()
    this.#release()
    for (const reader of readers) reader[Symbol.dispose]()
  }

  #release(): void {
    this.#response = undefined
    this.#hold?.[Symbol.dispose]()
    this.#hold = undefined
  }
}

const copyOf = (response: DecodedResponse): DecodedResponse => ({
  ...response,
  body: copied(response.body),
  ...(response.found && { found: response.found.map(copied) }),
})

/** Copies lists and plain objects. Other values, such as a `Decimal`, cannot be changed. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)]))
}
