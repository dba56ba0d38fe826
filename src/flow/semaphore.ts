import { atLeastOne } from './at-least-one.ts'
import { onAbort } from './signals/on-abort.ts'

/** At most `permits` at once; who comes first goes first. `using _ = await semaphore.acquire({ signal })` */
export class Semaphore {
  #free: number
  readonly #waiting: ((permit: Disposable) => void)[] = []

  constructor(permits: number) {
    this.#free = atLeastOne('permits', permits)
  }

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
    let given = false
    return {
      [Symbol.dispose]: () => {
        if (given) return
        given = true
        // Handed over, not put back: a newcomer must not overtake those who wait.
        const next = this.#waiting.shift()
        if (next) next(this.#permit())
        else this.#free++
      },
    }
  }
}
