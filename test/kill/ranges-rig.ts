// A stream whose days are read three at once, by real runs that are killed: a process, an HTTP server, and PostgreSQL.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Client } from 'pg'
import { PgProxy } from '../support/pg-proxy.ts'
import { BrokenPromise } from './broken-promise.ts'
import { succeeded } from './checks.ts'
import { connected, type Databases } from './databases.ts'
import type { Numbered } from './rig.ts'
import { SluiceRun, type Ended } from './sluice.ts'
import type { Successor } from './successor.ts'
import { alone } from './stored.ts'

const PIPELINE = join(import.meta.dirname, 'pipelines', 'ranges.ts')
const DAY = 86_400_000
/**
 * Four days that are settled, and so read three at once; a day that late rows may still come to, and half a day, which
 * are read one after the other. Each is two pages: a range that is killed has read nothing, a part, or all.
 */
const DAYS = 5.5
const PER_DAY = 3
const BATCH_ROWS = 2

/** The last page of the first day waits for those of the two behind it: until they are served and stored. */
const WAIT_MS = 100
const MAX_WAIT_MS = 500

interface Item {
  readonly id: number
  readonly at: string
  readonly text: string
}

export class RangesRig implements AsyncDisposable {
  readonly #start = Date.now() - DAYS * DAY
  #items: readonly Item[]
  readonly #write: 'append' | 'merge'
  readonly #successor: Successor | undefined
  readonly #resources: AsyncDisposableStack
  readonly #running = new Set<SluiceRun>()
  #url = ''
  #api = ''
  #requests = 0
  /** Days whose last page was served. */
  readonly #ended = new Set<number>()
  /** Sees the messages of the run through the proxy. */
  watch: Numbered = {}
  /** Called before and after the n-th answer of the API. */
  onRequest: ((n: number, when: 'before' | 'after') => void) | undefined
  readonly direct: Client
  readonly proxy: PgProxy

  private constructor(
    write: 'append' | 'merge',
    { direct, proxy }: { direct: Client; proxy: PgProxy },
    resources: AsyncDisposableStack,
    successor: Successor | undefined,
  ) {
    this.#write = write
    this.#successor = successor
    this.direct = direct
    this.proxy = proxy
    this.#resources = resources
    this.#items = Array.from({ length: Math.floor(DAYS * PER_DAY) }, (_, id) => ({
      id,
      at: new Date(this.#start + ((id + 0.5) / PER_DAY) * DAY).toISOString(),
      text: `row ${id} ✓`,
    }))
  }

  /** The successor carries out the runs that nothing happens to; without it each is a process of its own. */
  static async open(databases: Databases, write: 'append' | 'merge', successor?: Successor): Promise<RangesRig> {
    await using resources = new AsyncDisposableStack()
    const { url } = resources.use(await databases.create())
    const direct = resources.adopt(await connected(url), (client) => client.end())
    let rig: RangesRig | undefined
    const proxy = resources.use(
      await PgProxy.open({
        port: Number(new URL(url).port),
        watchers: [
          {
            before: (message) => rig?.watch.before?.(message, message.n),
            after: (message) => rig?.watch.after?.(message, message.n),
          },
        ],
      }),
    )
    const server = createServer((request, response) => {
      void rig?.answer(new URL(request.url ?? '/', 'http://api'), response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    resources.defer(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
    rig = new RangesRig(write, { direct, proxy }, resources.move(), successor)
    rig.#url = url
    rig.#api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return rig
  }

  get requests(): number {
    return this.#requests
  }

  /** Stores everything. Then each record changes, and keeps its time: only a reading of everything sees it. */
  async changeAll(): Promise<void> {
    succeeded(await this.#again(), 'the first run')
    this.#items = this.#items.map((item) => ({ ...item, text: `${item.text} again` }))
    this.#requests = 0
    this.#ended.clear()
  }

  async answer({ searchParams }: URL, response: ServerResponse): Promise<void> {
    const [from, to] = [searchParams.get('from') ?? '', searchParams.get('to') ?? '']
    const n = ++this.#requests
    const offset = Number(searchParams.get('offset') ?? 0)
    const day = Math.round((Date.parse(from) - this.#start) / DAY)
    const isLast = offset + 2 >= PER_DAY
    if (isLast && day === 0) await this.#othersEnd()
    const rows = this.#items.filter(({ at }) => at >= from && at < to)
    if (isLast) this.#ended.add(day)
    this.onRequest?.(n, 'before')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ rows: rows.slice(offset, offset + 2), total: rows.length }), () =>
      this.onRequest?.(n, 'after'),
    )
  }

  /** The days behind it end before: the cursor must not pass it with them. */
  async #othersEnd(): Promise<void> {
    for (let waited = 0; waited < MAX_WAIT_MS; waited += 5) {
      if (this.#ended.has(1) && this.#ended.has(2)) break
      await sleep(5)
    }
    await sleep(WAIT_MS)
  }

  /** Starts a run through the proxy; `watch` sees its messages, counted from 1. Without it, a run past the proxy. */
  start(watch?: Numbered, flags: readonly string[] = []): SluiceRun {
    const first = this.proxy.count
    if (watch)
      this.watch = {
        before: (message) => watch.before?.(message, message.n - first),
        after: (message) => watch.after?.(message, message.n - first),
      }
    const run = new SluiceRun({
      pipeline: PIPELINE,
      database: watch ? this.proxy.through(this.#url) : this.#url,
      api: this.#api,
      batchRows: BATCH_ROWS,
      flags,
      environment: { KILL_START: this.#startFrom, KILL_WRITE: this.#write },
    })
    this.#running.add(run)
    const over = (): void => void this.#running.delete(run)
    run.ended.then(over, over)
    return run
  }

  /** A run that nothing happens to, past the proxy. */
  #again(): Promise<Ended> {
    const settings = { api: this.#api, write: this.#write, startFrom: this.#startFrom }
    return this.#successor
      ? this.#successor.run({ database: this.#url, batchRows: BATCH_ROWS, ranges: settings })
      : this.start().ended
  }

  get #startFrom(): string {
    return new Date(this.#start).toISOString()
  }

  /** After a kill: what the cursor has passed is stored; the next run stores the rest, and a further one nothing. */
  async survives(): Promise<void> {
    await alone(this.direct)
    await this.#cursorIsTrue('after the kill')
    succeeded(await this.#again(), 'the run after it')
    await this.complete()
  }

  /** After a run that has succeeded. */
  async complete(): Promise<void> {
    await this.#cursorIsTrue('after the run')
    const stored = await this.#rows()
    if (!isDeepStrictEqual(stored, this.#items))
      throw new BrokenPromise(
        `not as in the source: ${stored.length} of ${this.#items.length} rows, ` +
          `ids ${stored.map(({ id }) => id).join()}`,
      )
    const { rows } = await this.direct.query<{ inserted: number; open: number; live: number }>(
      `select (select sum(inserted)::bigint from sluice.slices) as inserted,
              (select count(*) from sluice.slices where status <> 'done') as open,
              (select count(*) from sluice.chains where ended_at is null) as live`,
    )
    if (!isDeepStrictEqual(rows, [{ inserted: this.#items.length, open: 0, live: 0 }]))
      throw new BrokenPromise(`the ledger of ${this.#items.length} rows says ${JSON.stringify(rows)}`)
    const before = await this.#versions()
    succeeded(await this.#again(), 'a further run')
    if ((await this.#versions()) !== before) throw new BrokenPromise('a further run has touched rows')
  }

  /** Every record before the cursor is stored: that is what a cursor says. */
  async #cursorIsTrue(when: string): Promise<void> {
    const { rows } = await this.direct.query<{ value: string }>('select value from sluice.cursors')
    const [cursor] = rows
    if (!cursor) return
    const stored = new Set((await this.#rows()).map(({ id }) => id))
    const missing = this.#items.filter(({ id, at }) => at < cursor.value && !stored.has(id))
    if (missing.length === 0) return
    const ids = missing.map(({ id }) => id).join()
    throw new BrokenPromise(`${when}: the cursor is ${cursor.value}, and the records ${ids} before it are not stored`)
  }

  async #rows(): Promise<Item[]> {
    const { rows: found } = await this.direct.query<{ found: boolean }>(
      `select to_regclass('kill.ranges') is not null as found`,
    )
    if (!found[0]?.found) return []
    const { rows } = await this.direct.query<Item>(
      `select id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, text
         from kill.ranges order by id`,
    )
    return rows
  }

  async #versions(): Promise<string> {
    const { rows } = await this.direct.query<{ all: string | null }>(
      `select string_agg(ctid::text || ' ' || xmin::text, ',' order by ctid) as all from kill.ranges`,
    )
    return rows[0]?.all ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#running) run.kill()
    await this.#resources.disposeAsync()
  }
}
