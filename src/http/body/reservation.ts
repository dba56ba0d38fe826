import type { MemoryAccount, MemoryHold } from '../../flow/memory-account.ts'

/** A shorter wait is a turn of the event loop, not a wait for the budget. */
const MIN_REPORTED_WAIT_MS = 50

/** Memory reserved for one page: estimated before the request, corrected by the response. Disposing releases it. */
export interface Reservation extends Disposable {
  /** Grows the reservation if the body is already larger than estimated, so that other readers see it now. */
  readonly growTo: (bytes: number) => void
  /** Sets the size of the complete page. */
  readonly settle: (bytes: number) => void
}

/** Reserves memory for pages before they are requested. A page is estimated by the last one of its reader. */
export class Reservations {
  readonly #lastBytes = new WeakMap<MemoryAccount, number>()
  /** Estimate for the first page of a reader: the last page of any other. */
  #estimate: number

  constructor({ firstBytes }: { readonly firstBytes: number }) {
    this.#estimate = firstBytes
  }

  async reserve(
    memory: MemoryAccount,
    { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: (ms: number) => void },
  ): Promise<Reservation> {
    let bytes = this.#lastBytes.get(memory) ?? this.#estimate
    const startedAt = performance.now()
    const hold: MemoryHold = await memory.reserve(bytes, { signal })
    const waitedMs = Math.round(performance.now() - startedAt)
    if (waitedMs >= MIN_REPORTED_WAIT_MS) onWait(waitedMs)
    const resize = (to: number): void => {
      if (to === bytes) return
      bytes = to
      hold.resize(to)
    }
    return {
      // Doubling keeps the number of corrections small.
      growTo: (received) => resize(received > bytes ? Math.max(received, bytes * 2) : bytes),
      settle: (size) => {
        resize(size)
        if (size === 0) return
        this.#lastBytes.set(memory, size)
        this.#estimate = size
      },
      [Symbol.dispose]: () => hold[Symbol.dispose](),
    }
  }
}
