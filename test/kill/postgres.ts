import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { embeddedDatabase, type EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { freePort } from '../../src/database/embedded/free-port.ts'
import { findPostmaster, isServing } from '../../src/database/embedded/postmaster.ts'
import { cheapPassword } from '../support/cheap-password.ts'
import { dataDirectory } from '../support/data-directory.ts'

/** A PostgreSQL of the harness's own, which may be stopped in the hardest way and started again on the same port. */
export class Postgres implements AsyncDisposable {
  static readonly #running = new Set<Postgres>()
  readonly port: number
  readonly #directory: string
  #server: EmbeddedDatabase

  private constructor(directory: string, port: number, server: EmbeddedDatabase) {
    this.#directory = directory
    this.port = port
    this.#server = server
  }

  static async open(): Promise<Postgres> {
    const directory = await mkdtemp(join(dataDirectory(), 'sluice-kill-'))
    const port = await freePort()
    const postgres = new Postgres(directory, port, await start(directory, port))
    await cheapPassword(postgres.url)
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
    this.#server = await start(this.#directory, this.port)
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
const start = (dir: string, port: number): Promise<EmbeddedDatabase> =>
  embeddedDatabase({
    dir,
    durable: false,
    settings: {
      port: String(port),
      synchronous_commit: 'on',
      max_connections: '200',
      autovacuum: 'off',
      max_wal_size: '4GB',
    },
  })
