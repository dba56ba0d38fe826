import { LinkedSignal } from './signals/linked-signal.ts'

/**
 * Tasks that live and die together, as in Python's `asyncio.TaskGroup`.
 *
 * The first task that fails aborts `signal` for the others and is what `join` throws, when all have ended. No task
 * outlives its group, so nothing writes to a pool that is already closed. Leaving the block without a join cancels what
 * still runs.
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

  /** Start a task. Its failure is the group's. In a group that has been cancelled, nothing starts any more. */
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

  /** Wait for every task, those spawned meanwhile included; then throw the first failure. */
  async join(): Promise<void> {
    await this.#ended()
    if (this.#failure) throw this.#failure.error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.abort(new DOMException('The task group was left', 'AbortError'))
    await this.#ended()
    this.#link[Symbol.dispose]()
  }

  async #ended(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks)
  }

  // Those that fail later mostly fail because they were cancelled: the first one is the cause, and is told unwrapped.
  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#link.abort(error)
  }
}
