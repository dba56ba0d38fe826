import { Client, Pool, types, type CustomTypesConfig } from 'pg'
import { openDatabase } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'

const TEMPLATE = 'kill_template'
const EMPTY = `
  set lock_timeout = '3s';
  drop schema if exists kill cascade;
  do $$ declare shadow text; begin
    for shadow in
      select oid::regclass::text from pg_class
       where relnamespace = 'sluice'::regnamespace and relname like 'shadow%'
    loop execute 'drop table ' || shadow; end loop;
  end $$;
  truncate sluice.runs, sluice.slices, sluice.cursors, sluice.rejects, sluice.events, sluice.mirror_keys,
    sluice.deleted_rows, sluice.table_writers restart identity cascade`

/** Makes a fresh, migrated database for each scenario, as a copy of a template: migrations would take longer. */
export class Databases implements AsyncDisposable {
  /** A pool, since it connects again after the server was restarted. */
  readonly #admin: Pool
  readonly #url: string
  readonly #free: string[] = []
  #made = 0

  private constructor(url: string) {
    this.#url = url
    this.#admin = new Pool({ connectionString: url, max: 2 })
    this.#admin.on('error', () => undefined)
  }

  /** `url` leads to any database of the server, for a user who may create others. */
  static async open(url: string): Promise<Databases> {
    const databases = new Databases(url)
    await databases.#admin.query(`drop database if exists ${TEMPLATE}`)
    await databases.#admin.query(`create database ${TEMPLATE}`)
    await using template = await openDatabase({ url: databases.#named(TEMPLATE) })
    await migrate(template)
    return databases
  }

  /**
   * Of one scenario: empty but for the migrations. When disposed it is emptied for the next one, which costs a fraction
   * of making another.
   */
  async create(): Promise<{ readonly url: string } & AsyncDisposable> {
    const name = this.#free.pop() ?? (await this.#make())
    return { url: this.#named(name), [Symbol.asyncDispose]: () => this.#giveBack(name) }
  }

  /** Returns a source of copies of a database, for scenarios that begin with many rows. `fill` writes them. */
  async copiesOf(fill: (url: string) => Promise<void>): Promise<Pick<Databases, 'create'>> {
    const filled = await this.#make()
    await fill(this.#named(filled))
    return {
      create: async () => {
        const name = await this.#make(filled)
        return {
          url: this.#named(name),
          [Symbol.asyncDispose]: async () => void (await this.#admin.query(`drop database ${name} with (force)`)),
        }
      },
    }
  }

  async #make(template = TEMPLATE): Promise<string> {
    const name = `kill_${process.pid}_${++this.#made}`
    await this.#admin.query(`create database ${name} template ${template} strategy file_copy`)
    return name
  }

  async #giveBack(name: string): Promise<void> {
    try {
      const client = await connected(this.#named(name))
      try {
        await client.query(EMPTY)
        this.#free.push(name)
      } finally {
        await client.end()
      }
    } catch {
      // A session is still active, or a scenario ended badly: the database is not used again.
      await this.#admin.query(`drop database if exists ${name} with (force)`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.end()
  }

  #named(database: string): string {
    const url = new URL(this.#url)
    url.pathname = database
    return url.href
  }
}

/**
 * A client whose connection may be lost at any time without ending the process. Numbers of 64 bits are answered as
 * numbers: here they are small.
 */
export async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'kill harness', types: { getTypeParser } })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

const getTypeParser: CustomTypesConfig['getTypeParser'] = (oid, format) =>
  (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)) as unknown
