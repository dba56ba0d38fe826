import { PgProxy } from '../support/pg-proxy.ts'
import type { Instant } from './instants-between.ts'
import type { Numbered } from './rig.ts'
import type { Ended, SluiceRun } from './sluice.ts'

/** A proxy before one database. It sees the messages of the command that runs through it. */
export class WatchedProxy implements AsyncDisposable {
  readonly #url: string
  readonly #proxy: PgProxy
  readonly #state: { watch: Numbered }

  private constructor(url: string, proxy: PgProxy, state: { watch: Numbered }) {
    this.#url = url
    this.#proxy = proxy
    this.#state = state
  }

  static async open(url: string): Promise<WatchedProxy> {
    const state: { watch: Numbered } = { watch: {} }
    const proxy = await PgProxy.open({
      port: Number(new URL(url).port),
      watchers: [
        {
          before: (message) => state.watch.before?.(message, message.n),
          after: (message) => state.watch.after?.(message, message.n),
        },
      ],
    })
    return new WatchedProxy(url, proxy, state)
  }

  /** Returns the database through the proxy; `watch` sees the messages from now on, counted from 1. */
  through(watch: Numbered): string {
    const first = this.#proxy.count
    this.#state.watch = {
      before: (message) => watch.before?.(message, message.n - first),
      after: (message) => watch.after?.(message, message.n - first),
    }
    return this.#proxy.through(this.#url)
  }

  /** Starts a command that is killed at an instant, and waits for its end. It may have ended before. */
  async killAt({ n, when }: Instant, start: (database: string) => SluiceRun): Promise<Ended> {
    const strike = (_: unknown, at: number): void => {
      if (at !== n) return
      run.kill()
      this.#proxy.freeze()
    }
    const run: SluiceRun = start(this.through({ [when]: strike }))
    return this.ended(run)
  }

  /** Waits for the end of a command that was killed. Nothing of it passes afterwards. */
  async ended(run: SluiceRun): Promise<Ended> {
    const ended = await run.ended
    this.#proxy.thaw()
    return ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy[Symbol.asyncDispose]()
  }
}
