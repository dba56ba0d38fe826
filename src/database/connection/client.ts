import pg, { type ClientConfig } from 'pg'
import type { Cancellable } from './cancel.ts'

/** Time limit of one attempt to connect, until the server is ready for a statement. */
const CONNECT_MS = 10_000

/** After this time without an answer to the end of the session, the socket is destroyed. */
const GOODBYE_MS = 1_000

/** Types of dates without a zone. They stay text: a JavaScript `Date` would shift them by the machine's zone. */
const DATE_TYPE_OIDS = new Set([1082, 1114, 1115, 1182])
const TYPE_PARSERS = {
  getTypeParser: (oid: number, format?: 'text'): unknown =>
    DATE_TYPE_OIDS.has(oid) ? String : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig

/**
 * A connection of the driver that keeps the settings which the server announces, and whose errors never end the
 * process.
 */
export class WatchedClient extends pg.Client {
  /** `in_hot_standby`, `server_version` and others, as the server announced them. */
  readonly settings = new Map<string, string>()
  /** Resolves when the socket is closed. */
  readonly ended: Promise<void>

  constructor(config: ClientConfig = {}) {
    super({
      ...config,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: TYPE_PARSERS,
    })
    this.connection.on(
      'parameterStatus',
      ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) =>
        this.settings.set(parameterName, parameterValue),
    )
    // A lost connection fails the statement under way, or the next one. Without a listener it would also end the
    // process.
    this.on('error', () => {})
    const { promise, resolve } = Promise.withResolvers<void>()
    this.once('end', resolve)
    this.ended = promise
  }

  /** False for a standby, and for a server or user that is set to read only. */
  get isWritable(): boolean {
    return this.settings.get('in_hot_standby') !== 'on' && this.settings.get('default_transaction_read_only') !== 'on'
  }

  /**
   * Resolves when the server is ready for the next statement. An error arrives before that, often in a packet of its
   * own. Until then the transaction status is the previous one, and a failed transaction looks like none.
   */
  async ready(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    // The types of the driver do not have this field.
    if ((this as unknown as { readyForQuery: boolean }).readyForQuery) return
    this.connection.once('readyForQuery', resolve)
    try {
      await Promise.race([promise, this.ended])
    } finally {
      this.connection.off('readyForQuery', resolve)
    }
  }

  get cancellable(): Cancellable {
    // The driver has these fields, its types do not.
    return this as unknown as Cancellable
  }

  /** Waits until the socket is closed, and destroys it if the server is out of reach. */
  async closed(): Promise<void> {
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS)
    try {
      await this.ended
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes the socket at once. A statement under way fails. */
  destroy(): void {
    this.connection.stream.destroy()
  }
}
