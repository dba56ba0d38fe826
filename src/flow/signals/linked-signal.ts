import { onAbort } from './on-abort.ts'

/**
 * A signal that aborts when its parent does, or by itself. Not `AbortSignal.any`: that one cannot be let go of again,
 * and a run that lives for days would gather one for each call.
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
