import type { Connection } from '../../database/database.ts'

/**
 * Callbacks of notification channels, kept across connections. Each also runs after a connection has started to listen,
 * because notifications may have been missed. Behind a pooler none may arrive, so callers must also poll.
 */
export class Subscriptions {
  readonly #callbacks = new Map<string, Set<() => void>>()
  #connection: Connection | undefined

  /** Calls back when a channel is notified, until the result is disposed of. */
  add(channel: string, callback: () => void): Disposable {
    const known = this.#callbacks.get(channel)
    const callbacks = known ?? new Set()
    callbacks.add(callback)
    if (!known) {
      this.#callbacks.set(channel, callbacks)
      // A connection that fails here is lost; the next one listens to all channels.
      this.#connection
        ?.listen(channel, () => this.#notify(channel))
        .then(
          () => this.#notify(channel),
          () => {},
        )
    }
    return { [Symbol.dispose]: () => void callbacks.delete(callback) }
  }

  /** Listens to all channels on a new connection. */
  async attach(connection: Connection): Promise<void> {
    for (const channel of this.#callbacks.keys()) await connection.listen(channel, () => this.#notify(channel))
    this.#connection = connection
    for (const channel of this.#callbacks.keys()) this.#notify(channel)
  }

  /** The connection is lost. */
  detach(): void {
    this.#connection = undefined
  }

  #notify(channel: string): void {
    for (const callback of this.#callbacks.get(channel) ?? []) callback()
  }
}
