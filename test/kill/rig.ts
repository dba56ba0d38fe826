import type { Client } from 'pg'
import { PgProxy, type Message, type Watcher } from '../support/pg-proxy.ts'
import { Api, type ApiOptions } from './api.ts'
import { connected, type Databases } from './databases.ts'
import { Whereabouts } from './place.ts'
import type { DataSet } from './records.ts'
import { killEnvironment, SluiceRun, type Ended, type RunSettings } from './sluice.ts'
import type { Successor } from './successor.ts'

export type Write = RunSettings['write']
export const WRITES = ['append', 'merge', 'mirror', 'history', 'replace'] as const satisfies readonly Write[]

export interface RigOptions {
  readonly databases: Databases
  readonly write: Write
  readonly data: DataSet
  readonly api?: ApiOptions
  /** Carries out the runs after the kill; without it each is a process of its own. */
  readonly successor?: Successor | undefined
}

/**
 * What one scenario stands on: an API, a fresh database, the proxy before it, and a connection past the proxy to look
 * at what is stored.
 */
export class Rig implements AsyncDisposable {
  readonly write: Write
  readonly data: DataSet
  readonly api: Api
  readonly proxy: PgProxy
  /** Past the proxy. */
  readonly url: string
  direct: Client
  /** Rows of each table that no count of the ledger stands for. */
  uncounted: ReadonlyMap<string, number>
  readonly #watcher: { whereabouts: Whereabouts; more: Watcher }
  readonly #successor: Successor | undefined
  readonly #resources: AsyncDisposableStack
  readonly #runs = new Set<SluiceRun>()

  private constructor(
    options: RigOptions,
    parts: {
      api: Api
      proxy: PgProxy
      url: string
      direct: Client
      watcher: { whereabouts: Whereabouts; more: Watcher }
    },
    resources: AsyncDisposableStack,
  ) {
    this.write = options.write
    this.uncounted = new Map(options.write === 'mirror' ? [['items', 3]] : [])
    this.data = options.data
    this.api = parts.api
    this.proxy = parts.proxy
    this.url = parts.url
    this.direct = parts.direct
    this.#watcher = parts.watcher
    this.#successor = options.successor
    this.#resources = resources
  }

  static async open(options: RigOptions): Promise<Rig> {
    await using resources = new AsyncDisposableStack()
    const api = resources.use(await Api.open(options.data, options.api))
    const { url } = resources.use(await options.databases.create())
    const direct = resources.adopt(await connected(url), (client) => client.end())
    // Rows that the source does not have: a mirror deletes them once.
    if (options.write === 'mirror')
      await direct.query(
        `create schema kill; create table kill.items (id bigint primary key);
         insert into kill.items values (-1), (-2), (-3)`,
      )
    // A table that has held a row is merged into through a temporary table, and a new one is copied into directly. A
    // table that was merged is turned into a history first. So the two streams are written in different ways.
    if (options.write === 'merge' || options.write === 'history')
      await direct.query(
        `create schema kill; create table kill.items (id bigint primary key);
         insert into kill.items values (-1); delete from kill.items`,
      )
    const watcher: { whereabouts: Whereabouts; more: Watcher } = { whereabouts: whereabouts(options.data), more: {} }
    const proxy = resources.use(
      await PgProxy.open({
        port: Number(new URL(url).port),
        watchers: [
          {
            // Where the message belongs is known before anything is done about it, and what is done about it comes
            // last.
            before: (message) => {
              watcher.whereabouts.before(message)
              return watcher.more.before?.(message)
            },
            after: (message) => {
              watcher.whereabouts.after(message)
              return watcher.more.after?.(message)
            },
          },
        ],
      }),
    )
    return new Rig(options, { api, proxy, url, direct, watcher }, resources.move())
  }

  /** The part in which the last started run is. */
  get whereabouts(): Whereabouts {
    return this.#watcher.whereabouts
  }

  /** Starts a run through the proxy; `watch` sees its messages, counted from 1. */
  start({
    watch,
    name,
    flags,
    limit,
    batchRows = this.data.batchRows,
    past = false,
  }: {
    watch?: Numbered
    name?: string
    flags?: readonly string[]
    limit?: number
    batchRows?: number
    /** Past the proxy. */ past?: boolean
  } = {}): SluiceRun {
    if (!past) this.#watch(watch)
    const run = new SluiceRun({
      database: past ? this.url : this.proxy.through(this.url),
      api: this.api.url,
      batchRows,
      environment: killEnvironment({ write: this.write, name }),
      ...(flags && { flags }),
      ...(limit !== undefined && { limit }),
    })
    this.#runs.add(run)
    const over = (): void => void this.#runs.delete(run)
    run.ended.then(over, over)
    return run
  }

  /** A run that nothing happens to, past the proxy. */
  again(batchRows = this.data.batchRows): Promise<Ended> {
    return this.#successor
      ? this.#successor.run({ database: this.url, api: this.api.url, write: this.write, batchRows })
      : this.start({ past: true, batchRows }).ended
  }

  /** The connection past the proxy once more, after the server was restarted. */
  async reconnect(): Promise<void> {
    this.direct = this.#resources.adopt(await connected(this.url), (client) => client.end())
  }

  #watch(watch: Numbered | undefined): void {
    const first = this.proxy.count
    this.#watcher.whereabouts = whereabouts(this.data)
    this.#watcher.more = {
      before: (message) => watch?.before?.(message, message.n - first),
      after: (message) => watch?.after?.(message, message.n - first),
    }
  }

  /** Kills a run by SIGKILL. Messages that the proxy has not passed on yet are dropped. */
  async kill(run: SluiceRun): Promise<void> {
    run.kill()
    this.proxy.freeze()
    await run.ended
    this.proxy.thaw()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#runs) run.kill()
    await this.#resources.disposeAsync()
  }
}

/** A watcher that gets the number of each message in its run. */
export interface Numbered {
  readonly before?: (message: Message, n: number) => 'drop' | void | Promise<'drop' | void>
  readonly after?: (message: Message, n: number) => void | Promise<void>
}

/** The commit that leaves items before their empty last page carries its cursor. */
const whereabouts = ({ items }: DataSet): Whereabouts =>
  new Whereabouts((statement) => statement.includes(`"c${items.length}"`))
