import { atLeastOne } from './at-least-one.ts'
import { onAbort } from './signals/on-abort.ts'

/**
 * Limits the number of tasks that hold a permit at once. Waiting tasks are served in their order.
 *
 * @example
 * using _ = await semaphore.acquire({ signal })
 */
export class Semaphore {
  #free: number
  readonly #waiting: ((permit: Disposable) => void)[] = []

  constructor(permits: number) {
    this.#free = atLeastOne('permits', permits)
  }

  /** Waits for a permit. Disposing it passes it to the next task. */
  async acquire({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Disposable> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return this.#permit()
    }
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>()
    this.#waiting.push(resolve)
    using _ = onAbort(signal, (reason) => {
      const index = this.#waiting.indexOf(resolve)
      if (index >= 0) this.#waiting.splice(index, 1)
      reject(reason)
    })
    return await promise
  }

  #permit(): Disposable {
    let isReleased = false
    return {
      [Symbol.dispose]: () => {
        if (isReleased) return
        isReleased = true
        // Passed on directly: a new task must not overtake the waiting ones.
        const next = this.#waiting.shift()
        if (next) next(this.#permit())
        else this.#free++
      },
    }
  }
}
