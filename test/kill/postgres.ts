import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/database/database.ts'
import { embeddedDatabase, type EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { freePort } from '../../src/database/embedded/free-port.ts'
import { findPostmaster, isServing } from '../../src/database/embedded/postmaster.ts'
import { cheapPassword } from '../support/cheap-password.ts'
import { dataDirectory } from '../support/data-directory.ts'

/** Settings of `postgresql.conf`, by name. */
type Settings = Readonly<Record<string, string>>

/** A PostgreSQL of the harness's own, which may be stopped in the hardest way and started again on the same port. */
export class Postgres implements AsyncDisposable {
  static readonly #running = new Set<Postgres>()
  readonly port: number
  readonly #directory: string
  readonly #settings: Settings
  #server: EmbeddedDatabase

  private constructor(directory: string, port: number, settings: Settings, server: EmbeddedDatabase) {
    this.#directory = directory
    this.port = port
    this.#settings = settings
    this.#server = server
  }

  /** `admitted` are other hosts that may connect, such as 10.0.0.0/24; `settings` override the usual ones. */
  static async open({
    settings = {},
    admitted,
  }: { readonly settings?: Settings; readonly admitted?: string } = {}): Promise<Postgres> {
    const directory = await mkdtemp(join(dataDirectory(), 'sluice-kill-'))
    const port = await freePort()
    const all = { ...settings, ...(admitted !== undefined && { listen_addresses: '*' }) }
    const postgres = new Postgres(directory, port, all, await start(directory, port, all))
    await cheapPassword(postgres.url)
    if (admitted !== undefined) await postgres.#admit(admitted)
    Postgres.#running.add(postgres)
    return postgres
  }

  static async stopAll(): Promise<void> {
    await Promise.all(Array.from(Postgres.#running, (postgres) => postgres[Symbol.asyncDispose]()))
  }

  /** Leads to the database `postgres`. */
  get url(): string {
    return this.#server.url
  }

  /** As after a crash: no backend may finish anything. What it promised to have committed must be there afterwards. */
  async restartImmediately(): Promise<void> {
    const data = join(this.#directory, 'postgres', 'data')
    const postmaster = await findPostmaster(data)
    if (!postmaster) throw new Error(`No PostgreSQL runs in ${this.#directory}`)
    process.kill(postmaster.pid, 'SIGQUIT')
    while (await isServing(postmaster.pid, data)) await sleep(5)
    this.#server = await start(this.#directory, this.port, this.#settings)
  }

  async #admit(addresses: string): Promise<void> {
    await appendFile(
      join(this.#directory, 'postgres', 'data', 'pg_hba.conf'),
      `host all all ${addresses} scram-sha-256\n`,
    )
    await using server = new Database({ url: this.url, max: 1 })
    await server.query('select pg_reload_conf()')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Postgres.#running.delete(this)
    await this.#server[Symbol.asyncDispose]()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/**
 * Without fsync: an immediate stop loses no page that the operating system holds, and thousands of databases are made
 * and dropped.
 */
const start = (dir: string, port: number, settings: Settings): Promise<EmbeddedDatabase> =>
  embeddedDatabase({
    dir,
    durable: false,
    settings: {
      port: String(port),
      synchronous_commit: 'on',
      max_connections: '200',
      autovacuum: 'off',
      max_wal_size: '4GB',
      ...settings,
    },
  })
