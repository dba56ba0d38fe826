// Reads a list that moves by real runs, which are killed and resumed: a process, an HTTP server, and PostgreSQL.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { GRADES, worstOf, type Completeness } from '../../src/model/completeness.ts'
import { PgProxy } from '../support/pg-proxy.ts'
import type { Item, MovingApi } from '../moving/moving-api.ts'
import type { Random } from '../moving/random.ts'
import type { Reading } from '../moving/reading.ts'
import type { Scenario } from '../moving/scenario.ts'
import { succeeded } from './checks.ts'
import { connected, type Databases } from './databases.ts'
import { SluiceRun } from './sluice.ts'
import { alone } from './stored.ts'
import { isBatchCommit } from './watches.ts'

const PIPELINE = join(import.meta.dirname, 'pipelines', 'moving.ts')

const LATENCY_MS = 4

/** Kills of one reading. */
const MAX_KILLS = 3

/** Where a run is killed: before or after the n-th request is answered, batch is committed, or message passes. */
interface Strike {
  readonly of: 'request' | 'commit' | 'message'
  readonly n: number
  readonly when: 'before' | 'after'
}

/** The API, the database and the proxy before it, of one scenario. */
export class MovingReader implements AsyncDisposable {
  readonly #api: MovingApi
  readonly #database: string
  readonly #direct: Client
  readonly #proxy: PgProxy
  readonly #resources: AsyncDisposableStack
  #strike: Strike | undefined
  #run: SluiceRun | undefined
  /** What has passed in this run, such as `commit before`. */
  readonly #passed = new Map<string, number>()
  #origin = ''
  #lastSlice = 0

  private constructor(
    api: MovingApi,
    { database, direct, proxy }: { database: string; direct: Client; proxy: PgProxy },
    resources: AsyncDisposableStack,
  ) {
    this.#api = api
    this.#database = database
    this.#direct = direct
    this.#proxy = proxy
    this.#resources = resources
  }

  static async open(databases: Databases, api: MovingApi): Promise<MovingReader> {
    await using resources = new AsyncDisposableStack()
    const { url } = resources.use(await databases.create())
    const direct = resources.adopt(await connected(url), (client) => client.end())
    let reader: MovingReader | undefined
    const proxy = resources.use(
      await PgProxy.open({
        port: Number(new URL(url).port),
        watchers: [
          {
            before: (message) => {
              if (isBatchCommit(message)) reader?.passes('commit', 'before')
              reader?.passes('message', 'before')
            },
            after: (message) => {
              if (message.text === 'COMMIT') reader?.passes('commit', 'after')
              reader?.passes('message', 'after')
            },
          },
        ],
      }),
    )
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      // Pages are then committed one by one.
      await sleep(LATENCY_MS)
      reader?.passes('request', 'before')
      const { headers, body } = api.answer({ method: 'GET', url: request.url ?? '/', query: {} })
      response.writeHead(200, { 'content-type': 'application/json', ...headers } as Record<string, string>)
      response.end(JSON.stringify(body), () => reader?.passes('request', 'after'))
    }
    const server = createServer((request, response) => void answer(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    resources.defer(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
    reader = new MovingReader(api, { database: url, direct, proxy }, resources.move())
    reader.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return reader
  }

  /** Runs until one has ended, and returns what all of them have stored. */
  async read(scenario: Scenario, random: Random): Promise<Reading> {
    const from = this.#api.tick
    for (let kills = 0; ; kills++) {
      const strike = this.#api.isMoving && kills < MAX_KILLS && random.chance(0.85) ? strikeOf(random) : undefined
      this.#strike = strike
      this.#passed.clear()
      this.#run = new SluiceRun({
        pipeline: PIPELINE,
        database: this.#proxy.through(this.#database),
        api: this.#origin,
        // A page a commit, or several.
        batchRows: scenario.batch === 1 ? 1 : scenario.batch * scenario.size,
        environment: { KILL_SCENARIO: JSON.stringify(scenario) },
      })
      const ended = await this.#run.ended
      this.#proxy.thaw()
      await alone(this.#direct)
      if (ended.signal !== 'SIGKILL') {
        succeeded(ended, 'a run')
        return this.#stored(scenario, from)
      }
      this.#api.log.push(`killed ${strike?.when} ${strike?.of} ${strike?.n}, at ${await this.#position()}`)
      this.#api.sleep()
    }
  }

  passes(of: Strike['of'], when: Strike['when']): void {
    const name = `${of} ${when}`
    const count = (this.#passed.get(name) ?? 0) + 1
    this.#passed.set(name, count)
    const strike = this.#strike
    if (strike?.of !== of || strike.when !== when || strike.n !== count) return
    this.#strike = undefined
    this.#run?.kill()
    this.#proxy.freeze()
  }

  async #stored({ write, isIncremental }: Scenario, from: number): Promise<Reading> {
    const { rows: done } = await this.#direct.query<StoredReading>(
      `select id, since, high_water_mark as high, completeness, open_reasons as reasons from sluice.slices
        where id > $1 and status = 'done' order by id`,
      [this.#lastSlice],
    )
    const last = done.at(-1)
    if (!last) throw new Error('a run has ended without a slice that is done')
    this.#lastSlice = last.id
    // A run that was killed behind the end of a slice is followed by another reading of everything.
    const slices = isIncremental ? done : [last]
    const ofSlices = write === 'append' ? `where _slice = any($1)` : 'where $1::bigint[] is not null'
    const exists = await this.#direct.query<{ found: boolean }>(
      `select to_regclass('kill.moving') is not null as found`,
    )
    const { rows } = exists.rows[0]?.found
      ? await this.#direct.query<Item>(`select id, version, updated_at::text from kill.moving ${ofSlices}`, [
          slices.map(({ id }) => id),
        ])
      : { rows: [] }
    const worst = slices.map(completenessOf).reduce<Completeness | undefined>(worstOf, undefined)
    return {
      from,
      to: this.#api.tick,
      since: slices[0]?.since ?? undefined,
      rows,
      completeness: worst,
      highWaterMark: last.high === null ? undefined : { value: last.high },
    }
  }

  async #position(): Promise<string> {
    const { rows } = await this.#direct.query<{ position: unknown }>(
      'select position from sluice.slices order by id desc limit 1',
    )
    return JSON.stringify(rows[0]?.position ?? null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run?.kill()
    await this.#resources.disposeAsync()
  }
}

interface StoredReading {
  readonly id: number
  readonly since: string | null
  readonly high: string | null
  readonly completeness: string | null
  readonly reasons: readonly string[] | null
}

function completenessOf({ completeness, reasons }: StoredReading): Completeness {
  const grade = GRADES.find((name) => name === completeness)
  if (!grade) throw new Error('a slice that is done has no grade')
  return { grade, reasons: reasons ?? [] }
}

/** Many runs end before: then nothing happens to them. */
function strikeOf(random: Random): Strike {
  const of = random.pick(['request', 'request', 'commit', 'commit', 'commit', 'message'] as const)
  const most = { request: 12, commit: 8, message: 250 }[of]
  return { of, n: random.between(of === 'message' ? 60 : 1, most), when: random.pick(['before', 'after'] as const) }
}
