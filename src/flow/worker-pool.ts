import { availableParallelism } from 'node:os'
import type { Piscina } from 'piscina'
import { Semaphore } from './semaphore.ts'

export interface WorkerPoolOptions {
  /** Largest number of threads. They start for work, and end 10 s after it. @default one less than the cores */
  readonly threads?: number
  /** Calls that run or are queued at once; further calls wait. @default 4 for each thread */
  readonly concurrency?: number
}

/** Ends an idle thread. */
const IDLE_TIMEOUT_MS = 10_000

/**
 * Runs CPU-bound functions on worker threads, so that the event loop stays free. Calls the default export of a module,
 * which may be TypeScript.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #threads: number
  readonly #slots: Semaphore
  #pool: Promise<Piscina> | undefined
  #isClosed = false

  constructor({
    threads = Math.max(1, availableParallelism() - 1),
    concurrency = threads * 4,
  }: WorkerPoolOptions = {}) {
    this.#threads = threads
    this.#slots = new Semaphore(concurrency)
  }

  /** Returns the result of the module's function for a record. Cancelling a running call ends its thread. */
  async run(
    moduleHref: string,
    record: unknown,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<unknown> {
    using _ = await this.#slots.acquire({ signal })
    if (this.#isClosed) throw new Error(`Cannot call ${moduleHref}: the worker threads have been stopped`)
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
    this.#isClosed = true
    await (await this.#pool)?.destroy()
  }

  /** Loads Piscina at the first call, because most pipelines use no threads. */
  async #start(): Promise<Piscina> {
    const { Piscina } = await import('piscina')
    return new Piscina({
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: IDLE_TIMEOUT_MS,
      maxQueue: Infinity,
      // With atomics, timers and promises of a thread stand still between two calls.
      atomics: 'disabled',
    })
  }
}
