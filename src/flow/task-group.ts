import { LinkedSignal } from './signals/linked-signal.ts'

/**
 * Tasks that all complete or are all cancelled, as in Python's `asyncio.TaskGroup`.
 *
 * The first task that fails aborts the `signal` of the others. When all tasks have ended, `join` throws its error. No
 * task outlives its group, so no task uses a pool that is already closed. Leaving the block without a join cancels the
 * tasks that still run.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #link: LinkedSignal
  readonly #tasks = new Set<Promise<unknown>>()
  #failure: { readonly error: unknown } | undefined

  constructor({ signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    this.#link = new LinkedSignal(signal)
  }

  get signal(): AbortSignal {
    return this.#link.signal
  }

  /** Starts a task. Its failure is the failure of the group. A group that is cancelled starts no task. */
  spawn(work: (signal: AbortSignal) => unknown): void {
    if (this.signal.aborted) {
      this.#fail(this.signal.reason)
      return
    }
    const task: Promise<unknown> = Promise.try(work, this.signal)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
  }

  /** Waits for all tasks, including those that are spawned during the wait, and throws the first failure. */
  async join(): Promise<void> {
    await this.#allEnded()
    if (this.#failure) throw this.#failure.error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.abort(new DOMException('The task group was left', 'AbortError'))
    await this.#allEnded()
    this.#link[Symbol.dispose]()
  }

  async #allEnded(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks)
  }

  /** Keeps the first failure unwrapped: later ones mostly follow from the cancellation. */
  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#link.abort(error)
  }
}
