import { onAbort } from './on-abort.ts'

/**
 * A signal that aborts with its parent, or by itself. Disposing it removes its listener from the parent.
 * `AbortSignal.any` cannot be disposed, so a run that lasts days would gather one for each call.
 */
export class LinkedSignal implements Disposable {
  readonly #controller = new AbortController()
  readonly #link: Disposable

  constructor(parent?: AbortSignal) {
    this.#link = onAbort(parent, (reason) => this.#controller.abort(reason))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]()
  }
}
