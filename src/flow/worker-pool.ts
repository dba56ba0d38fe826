import { availableParallelism } from 'node:os'
import type { Piscina } from 'piscina'
import { Semaphore } from './semaphore.ts'

export interface WorkerPoolOptions {
  /**
   * Threads at most; they start when there is work, and end after a while without. @default as many as the machine has
   * cores, less one
   */
  readonly threads?: number
  /** Calls that may be with the threads at once, running or queued; further ones wait. @default four for each thread */
  readonly concurrency?: number
}

/**
 * Runs CPU-bound functions on worker threads, so that the event loop stays free. A module may be TypeScript; its
 * default export is called.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #threads: number
  readonly #places: Semaphore
  #pool: Promise<Piscina> | undefined
  #closed = false

  constructor({
    threads = Math.max(1, availableParallelism() - 1),
    concurrency = threads * 4,
  }: WorkerPoolOptions = {}) {
    this.#threads = threads
    this.#places = new Semaphore(concurrency)
  }

  /**
   * What the module's default export answers for this record. Cancelling a call that runs ends its thread; another
   * takes its place.
   */
  async run(
    moduleHref: string,
    record: unknown,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<unknown> {
    using _ = await this.#places.acquire({ signal })
    if (this.#closed) throw new Error(`Cannot call ${moduleHref}: the worker threads have been stopped`)
    const pool = await (this.#pool ??= this.#start())
    signal?.throwIfAborted()
    try {
      return (await pool.run(record, { filename: moduleHref, signal: signal ?? null })) as unknown
    } catch (error) {
      signal?.throwIfAborted() // Piscina wraps the reason in an error of its own.
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await (await this.#pool)?.destroy()
  }

  /** Loaded when it is needed: most pipelines have no use for threads. */
  async #start(): Promise<Piscina> {
    const { Piscina } = await import('piscina')
    // Without atomics a thread's own timers and promises go on between two calls.
    return new Piscina({
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: 10_000,
      maxQueue: Infinity,
      atomics: 'disabled',
    })
  }
}
