import type { MemoryAccount, MemoryHold } from '../../flow/memory-account.ts'

/** A shorter wait is the event loop's turn, not the budget's. */
const MIN_REPORTED_WAIT_MS = 50

/**
 * Memory that is kept for a page: guessed before it is sent for, known when it is there. Disposing it gives it back.
 */
export interface Reservation extends Disposable {
  /** The body has grown so far; where that is more than was guessed, the others have to know now. */
  readonly growTo: (bytes: number) => void
  /** The page is there, and takes so much. */
  readonly settle: (bytes: number) => void
}

/**
 * Reserves memory for pages before they are asked for; a page is guessed to be as large as the last one of its reader.
 */
export class Reservations {
  readonly #last = new WeakMap<MemoryAccount, number>()
  /** What a reader's first page is guessed to be: as large as the last page of any other. */
  #guess: number

  constructor({ first }: { readonly first: number }) {
    this.#guess = first
  }

  async reserve(
    memory: MemoryAccount,
    { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: (ms: number) => void },
  ): Promise<Reservation> {
    let bytes = this.#last.get(memory) ?? this.#guess
    const began = performance.now()
    const hold: MemoryHold = await memory.reserve(bytes, { signal })
    const waited = Math.round(performance.now() - began)
    if (waited >= MIN_REPORTED_WAIT_MS) onWait(waited)
    const resize = (to: number): void => {
      if (to === bytes) return
      bytes = to
      hold.resize(to)
    }
    return {
      growTo: (soFar) => resize(soFar > bytes ? Math.max(soFar, bytes * 2) : bytes),
      settle: (size) => {
        resize(size)
        if (size === 0) return
        this.#last.set(memory, size)
        this.#guess = size
      },
      [Symbol.dispose]: () => hold[Symbol.dispose](),
    }
  }
}
