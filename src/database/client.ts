import pg, { type ClientConfig } from 'pg'
import type { Cancellable } from './cancel.ts'

/** For one attempt to connect, until the server is ready for the first statement. */
const CONNECT_MS = 10_000

/** For the server to answer our goodbye. */
const GOODBYE_MS = 1_000

/** Dates without a zone stay text: as a JavaScript `Date` they would shift with the machine's zone. */
const DATE_TYPE_OIDS = new Set([1082, 1114, 1115, 1182])
const TYPE_PARSERS = {
  getTypeParser: (oid: number, format?: 'text'): unknown =>
    DATE_TYPE_OIDS.has(oid) ? String : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig

/**
 * A connection of the driver's that remembers what the server said of itself, and whose errors never bring the process
 * down.
 */
export class WatchedClient extends pg.Client {
  /** `in_hot_standby`, `server_version`, … as the server announced them. */
  readonly settings = new Map<string, string>()
  /** When the socket is closed. */
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
    // A lost connection is told to the statement under way, or to the next one; without a listener it would also be
    // thrown at the process.
    this.on('error', () => {})
    const { promise, resolve } = Promise.withResolvers<void>()
    this.once('end', resolve)
    this.ended = promise
  }

  /** Neither a standby nor set to read only. */
  get isWritable(): boolean {
    return this.settings.get('in_hot_standby') !== 'on' && this.settings.get('default_transaction_read_only') !== 'on'
  }

  /**
   * Settles when the server is ready for the next statement. An error arrives before that, often in a packet of its
   * own; until then the transaction status is that of before, and a failed transaction looks like none.
   */
  async ready(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if ((this as unknown as { readyForQuery: boolean }).readyForQuery) return
    this.connection.once('readyForQuery', resolve)
    try {
      await Promise.race([promise, this.ended])
    } finally {
      this.connection.off('readyForQuery', resolve)
    }
  }

  get cancellable(): Cancellable {
    return this as unknown as Cancellable
  }

  /** Until the socket is closed, which a server that is out of reach would never see to. */
  async closed(): Promise<void> {
    const patience = setTimeout(() => this.destroy(), GOODBYE_MS)
    try {
      await this.ended
    } finally {
      clearTimeout(patience)
    }
  }

  /** Close the socket at once; a statement under way is told so. */
  destroy(): void {
    this.connection.stream.destroy()
  }
}
