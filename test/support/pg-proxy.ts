import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Framer, type Frame } from './pg-messages.ts'

/** A message on its way through the proxy. */
export interface Message extends Frame {
  /** Its number, counted over all connections and both directions. */
  readonly n: number
  readonly from: 'client' | 'server'
  readonly link: Link
}

/**
 * Called with each message, one at a time and in order: `before` it is passed on, and `after` it was written to the
 * network. `before` may return 'drop' to lose the message. While a promise is pending, this direction of this
 * connection waits.
 */
export interface Watcher {
  readonly before?: (message: Message) => 'drop' | void | Promise<'drop' | void>
  readonly after?: (message: Message) => void | Promise<void>
}

export interface ProxyOptions {
  readonly host?: string
  readonly port: number
  readonly watchers?: readonly Watcher[]
  /** Bytes per second that all connections together may send to the server, and to the client. @default no limit */
  readonly toServer?: number
  readonly toClient?: number
}

/** A proxy between clients and PostgreSQL. It sees every message, and can drop or delay it, or cut the connection. */
export class PgProxy implements AsyncDisposable {
  readonly links = new Set<Link>()
  readonly #options: ProxyOptions
  readonly #server: Server
  readonly #throttles: Readonly<Record<'client' | 'server', Throttle | undefined>>
  #count = 0
  #connections = 0
  #frozen = false

  private constructor(options: ProxyOptions) {
    this.#options = options
    this.#throttles = {
      client: options.toServer === undefined ? undefined : new Throttle(options.toServer),
      server: options.toClient === undefined ? undefined : new Throttle(options.toClient),
    }
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  static async open(options: ProxyOptions): Promise<PgProxy> {
    const proxy = new PgProxy(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    await promise
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Messages seen so far. */
  get count(): number {
    return this.#count
  }

  /** The same database, reached through the proxy. */
  through(url: string): string {
    const changed = new URL(url)
    changed.hostname = '127.0.0.1'
    changed.port = String(this.port)
    return changed.href
  }

  /** Passes on no more messages, as if the client had died before it wrote them. */
  freeze(): void {
    this.#frozen = true
  }

  /** Passes messages of new connections again. Older connections are cut, except those that were detached. */
  thaw(): void {
    for (const link of this.links) if (!link.isDetached) link.cut()
    this.#frozen = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    for (const link of this.links) link.cut()
    await closed.promise
  }

  #accept(client: Socket): void {
    const server = connect({ host: this.#options.host ?? '127.0.0.1', port: this.#options.port, noDelay: true })
    const link = new Link(++this.#connections, client, server)
    this.links.add(link)
    const toClient = new Framer('server')
    void Promise.all([
      this.#pump(link, 'client', client, server, new Framer('client'), toClient),
      this.#pump(link, 'server', server, client, toClient),
    ]).finally(() => this.links.delete(link))
  }

  async #pump(
    link: Link,
    from: 'client' | 'server',
    source: Socket,
    target: Socket,
    framer: Framer,
    answers?: Framer,
  ): Promise<void> {
    const watchers = this.#options.watchers ?? []
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        const frames = framer.push(chunk)
        const throttle = this.#throttles[from]
        if (throttle) await throttle.take(chunk.length)
        // Without a watcher, the messages of a chunk are written together.
        if (watchers.length === 0) target.cork()
        for (const frame of frames) {
          if (frame.name === 'EncryptionRequest') answers?.expectBareAnswer()
          await this.#pass({ ...frame, n: ++this.#count, from, link }, target, watchers)
        }
        if (watchers.length === 0) target.uncork()
        if (target.writableNeedDrain) await drained(target)
      }
      if (from === 'client' && link.isDetached) return
      target.end()
    } catch {
      // A reset on one side resets the other side.
      if (!(from === 'client' && link.isDetached)) link.cut()
    }
  }

  async #pass(message: Message, target: Socket, watchers: readonly Watcher[]): Promise<void> {
    if (this.#frozen) return
    for (const { before } of watchers) {
      const verdict = before?.(message)
      if ((verdict instanceof Promise ? await verdict : verdict) === 'drop') return
      if (this.#frozen) return
    }
    if (target.writable) target.write(message.bytes)
    for (const { after } of watchers) {
      const wait = after?.(message)
      if (wait) await wait
    }
  }
}

/** One connection through the proxy: the client's half and the server's. */
export class Link {
  readonly id: number
  readonly #client: Socket
  readonly #server: Socket
  #detached = false

  constructor(id: number, client: Socket, server: Socket) {
    this.id = id
    this.#client = client
    this.#server = server
    // The loops that read report errors. Without a listener, an error would end the process.
    for (const socket of [client, server]) socket.on('error', () => undefined)
  }

  get isDetached(): boolean {
    return this.#detached
  }

  /** Cuts the connection on both sides. */
  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  /** Cuts the client off. The server keeps its session, and does not notice. */
  detach(): void {
    this.#detached = true
    this.#client.resetAndDestroy()
  }

  /** Sends a message to the server that was held back. */
  sendToServer(bytes: Buffer): void {
    if (this.#server.writable) this.#server.write(bytes)
  }

  /** Closes the server's half of a detached connection. */
  closeServer(): void {
    this.#server.destroy()
  }
}

/** Limits the bytes per second that all callers of `take` get together. */
class Throttle {
  readonly #rate: number
  #free = 0

  constructor(bytesPerSecond: number) {
    this.#rate = bytesPerSecond
  }

  async take(bytes: number): Promise<void> {
    const now = performance.now()
    this.#free = Math.max(now, this.#free) + (bytes / this.#rate) * 1_000
    if (this.#free - now > 1) await sleep(this.#free - now)
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.once('drain', done).once('close', done)
  })
