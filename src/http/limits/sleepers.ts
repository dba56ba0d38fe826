import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { Time } from './time.ts'

const WOKEN = Symbol('woken')

/** Waits that can be ended early, when limits are lifted. */
export class Sleepers {
  readonly #time: Time
  readonly #waiting = new Set<LinkedSignal>()

  constructor(time: Time) {
    this.#time = time
  }

  /** Waits until the time has passed or `wake` is called. */
  async sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    using link = new LinkedSignal(signal)
    this.#waiting.add(link)
    try {
      await this.#time.sleep(ms, { signal: link.signal })
    } catch (error) {
      if (error !== WOKEN) throw error
    } finally {
      this.#waiting.delete(link)
    }
  }

  /** Ends all waits. */
  wake(): void {
    for (const link of this.#waiting) link.abort(WOKEN)
  }
}
