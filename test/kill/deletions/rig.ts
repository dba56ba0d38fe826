// Streams whose records go, read by real runs that are killed: a process, an HTTP server, and PostgreSQL.
import { join } from 'node:path'
import type { Client } from 'pg'
import { apiServer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'
import { BrokenPromise } from '../broken-promise.ts'
import { succeeded } from '../checks.ts'
import { connected, type Databases } from '../databases.ts'
import type { Instant } from '../instants-between.ts'
import type { Numbered } from '../rig.ts'
import { SluiceRun, type Ended } from '../sluice.ts'
import { alone } from '../stored.ts'
import { carriedOut, type Successor } from '../successor.ts'
import { WatchedProxy } from '../watched-proxy.ts'
import { listOf, PAGE, STREAMS, type Day, type Kind } from './records.ts'
import { readStates, type StreamState } from './state.ts'

const PIPELINE = join(import.meta.dirname, '..', 'pipelines', 'deletions.ts')

/** Each page is a batch. */
const BATCH_ROWS = 1

/** Something that waits for a lock that the harness holds would wait for ever. */
const HARNESS_LIMITS = `set timezone = 'UTC'; set lock_timeout = '20s'`

export class DeletionsRig implements AsyncDisposable {
  readonly kind: Kind
  /** What the API serves. */
  day: Day = 1
  /** Called before the n-th answer since the first day. */
  onRequest: ((n: number) => void) | undefined
  readonly direct: Client
  readonly #proxy: WatchedProxy
  readonly #url: string
  readonly #api: ApiServer
  readonly #successor: Successor | undefined
  readonly #resources: AsyncDisposableStack
  readonly #running = new Set<SluiceRun>()
  #served = 0

  private constructor(
    kind: Kind,
    parts: { direct: Client; proxy: WatchedProxy; url: string; api: ApiServer },
    resources: AsyncDisposableStack,
    successor: Successor | undefined,
  ) {
    this.kind = kind
    this.direct = parts.direct
    this.#proxy = parts.proxy
    this.#url = parts.url
    this.#api = parts.api
    this.#resources = resources
    this.#successor = successor
  }

  /** The successor carries out the runs that nothing happens to; without it the process of the harness does. */
  static async open(databases: Databases, kind: Kind, successor?: Successor): Promise<DeletionsRig> {
    await using resources = new AsyncDisposableStack()
    const { url } = resources.use(await databases.create())
    const direct = resources.adopt(await connected(url), (client) => client.end())
    await direct.query(HARNESS_LIMITS)
    const proxy = resources.use(await WatchedProxy.open(url))
    let rig: DeletionsRig | undefined
    const api = resources.use(await apiServer((request) => ({ json: rig?.answer(request) })))
    rig = new DeletionsRig(kind, { direct, proxy, url, api }, resources.move(), successor)
    return rig
  }

  get url(): string {
    return this.#url
  }

  answer({ query }: ApiRequest): object {
    this.onRequest?.(++this.#served)
    const from = Number(query.get('cursor') ?? 0)
    const to = from + PAGE[this.kind]
    const list = listOf(this.kind, this.day)
    return { rows: list.slice(from, to), next: to < list.length ? String(to) : null }
  }

  /** Requests that were answered since the first day. */
  get requests(): number {
    return this.#served
  }

  get streams(): readonly string[] {
    return STREAMS[this.kind]
  }

  /** Stores the lists of the first day. Then the second one is there. */
  async firstDay(): Promise<void> {
    succeeded(await this.again(), 'the run of the first day')
    this.day = 2
    this.#served = 0
  }

  /** Starts a command through the proxy; `watch` sees its messages, counted from 1. */
  start(watch: Numbered, command?: readonly string[]): SluiceRun {
    return this.#start(this.#proxy.through(watch), command)
  }

  #start(database: string, command?: readonly string[]): SluiceRun {
    const run = new SluiceRun({
      ...(command ? { command } : { pipeline: PIPELINE, flags: ['--concurrency', '1'] }),
      database,
      api: this.#api.origin,
      batchRows: BATCH_ROWS,
      environment: { KILL_DELETIONS: this.kind },
    })
    this.#running.add(run)
    const over = (): void => void this.#running.delete(run)
    run.ended.then(over, over)
    return run
  }

  /** A run that nothing happens to, past the proxy. */
  again(): Promise<Ended> {
    const deletions = { api: this.#api.origin, deletions: this.kind }
    const settings = { database: this.#url, batchRows: BATCH_ROWS, deletions }
    return this.#successor ? this.#successor.run(settings) : carriedOut(settings)
  }

  /** Starts a command that is killed at a message, and waits until nothing of it is left. */
  async killedAt(instant: Instant, command?: readonly string[]): Promise<void> {
    await this.#proxy.killAt(instant, (database) => this.#start(database, command))
    await alone(this.direct)
  }

  /** The same before a request is answered. */
  async killedAtRequest(n: number): Promise<void> {
    this.onRequest = (at) => void (at === n && run.kill())
    const run: SluiceRun = this.start({})
    await this.#proxy.ended(run)
    this.onRequest = undefined
    await alone(this.direct)
  }

  states(): Promise<StreamState[]> {
    return readStates(this.direct, this.streams)
  }

  /** Throws unless the lists were read as far as the slices say. */
  async balances(when: string): Promise<void> {
    const { rows } = await this.direct.query<{ stream: string; fetched: number; status: string }>(
      'select stream, fetched, status from sluice.slices order by id',
    )
    for (const stream of this.streams) {
      const [one, two, ...more] = rows.filter((slice) => slice.stream === stream)
      const lengths = [listOf(this.kind, 1).length, listOf(this.kind, 2).length]
      const fetched = [one, two, ...more].map((slice) => slice?.fetched)
      const isWrong = fetched.some((count, at) => count !== (lengths[at] ?? lengths[1]))
      const open = rows.filter(({ status }) => status !== 'done')
      if (isWrong || open.length > 0)
        throw new BrokenPromise(`${when}: readings of ${stream} fetched ${fetched.join(', ')}, ${open.length} are open`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#running) run.kill()
    await this.#resources.disposeAsync()
  }
}
