import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Report } from '../../src/model/report.ts'
import { sleep } from '../../src/flow/signals/sleep.ts'
import { apiServer, type ApiHandler, type ApiServer } from '../support/api-server.ts'
import { administer, testDatabase, urlOf, type TestDatabase } from '../support/database.ts'
import { mayMount, smallDisk } from '../support/small-disk.ts'
import { callSluice } from './support/call.ts'
import { project, type Ended } from './support/command.ts'

const TOKEN = 'tok_9f8e7d6c5b4a'

const pipeline = `
import { bearer, byCursor, http, pipeline, secret } from 'SLUICE'

const api = http(process.env.API, { auth: bearer(secret('API_TOKEN')), attempts: 1, timeout: '400ms' })
export default pipeline('bad', {
  streams: { rows: api.get('/rows').pages(byCursor('after', 'next')).records('rows').into('t.rows', { key: 'id' }) },
})
`

/** Six pages of two rows each. `before` is called with the number of a page before the response. */
const pages =
  (before: (page: number) => Promise<void> | void = () => {}, text = 'row'): ApiHandler =>
  async ({ query }) => {
    const page = Number(query.get('after') ?? 1)
    await before(page)
    return {
      json: {
        rows: [
          { id: page * 2, name: text },
          { id: page * 2 + 1, name: text },
        ],
        next: page < 6 ? page + 1 : null,
      },
    }
  }

describe('each error is one message with a location, the problem and what to do:', () => {
  const files = {
    'pipelines/bad.ts': pipeline,
    'pipelines/throws.ts': `${pipeline}\nconst settings = JSON.parse('{"token": "${TOKEN}"')\nexport { settings }\n`,
    'pipelines/tells.ts': `throw new Error(\`no settings for \${process.env.API_TOKEN}\`)`,
  }

  /** Runs the pipeline and returns the error, after checking that no stack and no secret was printed. */
  async function fault(
    api: ApiServer,
    database: string,
    {
      words = ['bad'],
      env = {},
      code = 1,
    }: { words?: readonly string[]; env?: Readonly<Record<string, string>>; code?: number } = {},
  ): Promise<{ error: string; report: Report | undefined }> {
    await using here = await project(files)
    const ended = await callSluice(['run', ...words, '--json', '--batch-rows', '4'], {
      cwd: here.cwd,
      env: { API: api.origin, API_TOKEN: TOKEN, DATABASE_URL: database, ...env },
    })
    const { stdout, stderr } = ended
    expect({ code: ended.code, stderr }).toMatchObject({ code })
    for (const text of [stdout, stderr]) {
      expect(text).not.toMatch(/^ +at /m)
      expect(text).not.toContain(TOKEN)
      for (const password of ['hush-hush', /^postgres:\/\/[^:]+:([^@]+)@/.exec(urlOf('postgres'))![1]!])
        expect(text).not.toContain(password)
    }
    const report = reportOf(ended)
    const error = report ? Object.values(report.streams)[0]!.error : stderr.trim()
    expect(error).toBeDefined()
    expect(error).not.toContain('\n')
    return { error: error!, report }
  }
  describe('in the definition', () => {
    test('a missing secret, before any request', async () => {
      await using api = await apiServer(pages())
      await using database = await testDatabase()
      const { error } = await fault(api, database.url, { env: { API_TOKEN: '' }, code: 2 })
      expect(error).toBe(
        'bad.rows: secret API_TOKEN is empty: looked in the environment (the sluice command reads .env into ' +
          'it as well); set API_TOKEN there',
      )
      expect(api.requests).toEqual([])
    })

    test('a pipeline file that throws', async () => {
      await using api = await apiServer(pages())
      const thrown = await fault(api, 'postgres://localhost:1/none', { words: ['./pipelines/throws.ts'], code: 2 })
      expect(thrown.error).toMatch(
        /^pipelines\/throws\.ts:9 could not be loaded: SyntaxError: .+\. Correct it; --verbose shows the stack$/,
      )
      const leaking = await fault(api, 'postgres://localhost:1/none', { words: ['./pipelines/tells.ts'], code: 2 })
      expect(leaking.error).toBe(
        'pipelines/tells.ts:1 could not be loaded: no settings for {secret:API_TOKEN}. Correct it; --verbose ' +
          'shows the stack',
      )
    })

    test('a name of no pipeline', async () => {
      await using api = await apiServer(pages())
      expect((await fault(api, 'postgres://localhost:1/none', { words: ['good'], code: 2 })).error).toBe(
        "There is no pipeline 'good' in pipelines/ (found: bad; 2 files do not load, see sluice list). Give " +
          'one of these names, or a file',
      )
      expect((await fault(api, 'postgres://localhost:1/none', { words: ['bad.lines'], code: 2 })).error).toBe(
        "bad has no stream 'lines': it has rows",
      )
    })
  })

  describe('in the API', () => {
    let database: TestDatabase
    beforeAll(async () => {
      database = await testDatabase()
    })
    afterAll(async () => database[Symbol.asyncDispose]())

    test.each<[string, ApiHandler, RegExp]>([
      [
        'a wrong key',
        () => ({ status: 401, json: { error: `${TOKEN} is not known` } }),
        /^GET \/rows answered 401: the credentials were refused; check API_TOKEN$/,
      ],
      [
        'HTML with 200',
        () => ({ body: `<html><title>Sign in as ${TOKEN}</title></html>` }),
        new RegExp(
          String.raw`^GET /rows answered 200 with text/html that is no JSON: .+; look at the path, and ` +
            String.raw`at what the API wants to be sent$`,
        ),
      ],
      [
        'an object where a list was expected',
        () => ({ json: { rows: { id: 1 }, next: null } }),
        /^GET \/rows: 'rows' holds an object where a list of records was expected/,
      ],
      [
        'a renamed key',
        () => ({ json: { lines: [], next: null } }),
        new RegExp(
          String.raw`^GET /rows: 'rows': the body has no 'rows', only lines, next\. If it may be missing, ` +
            String.raw`add \{ optional: true \}$`,
        ),
      ],
      [
        'a repeated cursor',
        ({ query }) => ({ json: { rows: [{ id: Number(query.get('after') ?? 0) }], next: 7 } }),
        new RegExp(
          String.raw`^GET /rows: the response leads to a page that was read before\. .+ Compare the ` +
            String.raw`parameter that the paginator sends`,
        ),
      ],
      [
        'a server that hangs',
        () => ({ hang: true }),
        new RegExp(
          String.raw`^GET /rows took longer than 400ms, gave up after 1 attempt; look whether the API is ` +
            String.raw`up, or allow for more by its timeout and attempts, then run again`,
        ),
      ],
      [
        'a path that is not there',
        () => ({ status: 404, json: {} }),
        /^GET \/rows answered 404; check the path, or set \{ emptyOn: \[404\] \} if it means that there is nothing$/,
      ],
      [
        'a server that is down',
        () => ({ status: 503, body: 'away' }),
        /^GET \/rows answered 503, gave up after 1 attempt; look whether the API is up/,
      ],
    ])('%s', async (_, answer, message) => {
      await using api = await apiServer(answer)
      const { error, report } = await fault(api, database.url)
      expect(error).toMatch(message)
      expect(report).toMatchObject({ status: 'failed', streams: { rows: { status: 'failed' } } })
    })
  })

  describe('in the database', () => {
    test('a database that does not exist, or does not answer', async () => {
      await using api = await apiServer(pages())
      const missing = await fault(api, urlOf('nothing_of_this_name'))
      expect(missing.error).toMatch(
        new RegExp(
          String.raw`^Database nothing_of_this_name at 127\.0\.0\.1:\d+: database "nothing_of_this_name" ` +
            String.raw`does not exist; create the database, or correct its name in DATABASE_URL$`,
        ),
      )
      const unreachable = await fault(api, 'postgres://sluice:hush-hush@127.0.0.1:1/warehouse?connect_timeout=1')
      expect(unreachable.error).toBe(
        'Database warehouse at 127.0.0.1:1: no server listens there (connection refused) for 1s; start ' +
          'PostgreSQL there, or correct DATABASE_URL',
      )
      expect((await fault(api, 'postgres://sluice:hush-hush@[/warehouse', { code: 2 })).error).toBe(
        'DATABASE_URL is not the URL of a database. Write it like postgres://user:password@host:5432/database.',
      )
      expect(api.requests).toEqual([])
    })

    test('a read-only database', async () => {
      await using api = await apiServer(pages())
      await using database = await testDatabase()
      await administer(
        `alter database ${new URL(database.url).pathname.slice(1)} set default_transaction_read_only = on`,
      )
      expect((await fault(api, database.url)).error).toMatch(
        new RegExp(
          String.raw`^Database \S+ at \S+: it is read-only; set DATABASE_URL to the primary server, and to ` +
            String.raw`a user with write permission$`,
        ),
      )
    })

    test('a table that another program changed', async () => {
      await using api = await apiServer(pages())
      await using database = await testDatabase()
      await using here = await project(files)
      const env = { API: api.origin, API_TOKEN: TOKEN, DATABASE_URL: database.url }
      expect(await callSluice(['run', 'bad', '--json'], { cwd: here.cwd, env })).toMatchObject({ code: 0 })
      await database.database.query('alter table t.rows drop constraint rows_pkey')
      expect((await fault(api, database.url)).error).toBe(
        't.rows: there is no unique index of exactly (id), which writing by key needs. Run: create unique ' +
          'index concurrently on "t"."rows" ("id")',
      )
    })

    const whereMountable = mayMount() ? describe : describe.skip
    whereMountable('on a disk of its own (needs the right to mount one)', () => {
      test('a full disk', async () => {
        await using api = await apiServer(pages(undefined, randomBytes(300_000).toString('base64')))
        await using small = await smallDisk({ megabytes: 2 })
        await using database = await testDatabase()
        await database.database.query('create schema t')
        await database.database.query(
          `create table t.rows (id bigint primary key, name text) tablespace ${small.tablespace}`,
        )
        const { error, report } = await fault(api, database.url)
        expect(error).toMatch(
          new RegExp(
            String.raw`^bad\.rows: could not extend file .+: No space left on device \(SQLSTATE 53100\); ` +
              String.raw`free space on the disk of the database, then run again: it resumes after the last ` +
              String.raw`commit$`,
          ),
        )
        expect(await rejected(database)).toBe(0)
        const [stored] = await database.database.query('select count(*)::int as count from t.rows')
        expect(stored).toEqual({ count: report!.streams['rows']!.counts.inserted })
      })
    })

    test('a limit of the database server', async () => {
      await using api = await apiServer(({ query }) => {
        const page = Number(query.get('after') ?? 1)
        return {
          json: {
            rows: Array.from({ length: 3_000 }, (_, n) => ({ id: page * 3_000 - n, name: 'x'.repeat(200) })),
            next: page < 3 ? page + 1 : null,
          },
        }
      })
      await using database = await testDatabase()
      const name = new URL(database.url).pathname.slice(1)
      // Rows for a table that had a row before go through a temporary table, which is sorted.
      for (const statement of [
        'create schema t',
        'create table t.rows (id bigint primary key)',
        'insert into t.rows values (-1)',
        'delete from t.rows',
      ])
        await database.database.query(statement)
      await administer(`alter database ${name} set work_mem = '64kB'`)
      await administer(`alter database ${name} set temp_file_limit = '64kB'`)
      expect((await fault(api, database.url)).error).toMatch(
        new RegExp(
          String.raw`^bad\.rows: temporary file size exceeds .+ \(SQLSTATE 53400\); raise the limit of the ` +
            String.raw`database server that the message names, then run again$`,
        ),
      )
      expect(await rejected(database)).toBe(0)
    })

    test.each([
      [
        'a column',
        'alter table t.rows drop column name',
        'bad.rows: t.rows: the column name was dropped while the table was being loaded. Leave it out with ' +
          'columns: { name: false }, or run with --full to load everything again',
      ],
      [
        'a table',
        'drop table t.rows',
        'bad.rows: t.rows: the table was dropped while it was being loaded. Run with --full to load everything again',
      ],
    ])('%s that is dropped during a run', async (_, statement, message) => {
      await using database = await testDatabase()
      let dropped = false
      await using api = await apiServer(
        pages(async (page) => {
          if (page !== 5 || dropped) return
          dropped = true
          await loaded(database)
          await database.database.query(statement)
        }),
      )
      const { error, report } = await fault(api, database.url)
      expect(error).toBe(message)
      expect(report!.streams['rows']!.counts.inserted).toBeGreaterThan(0)
      expect(await rejected(database)).toBe(0)
    })

    test('a right that is revoked during a run', async () => {
      await using database = await testDatabase()
      const role = `${new URL(database.url).pathname.slice(1)}_role`
      const { database: admin } = database
      await admin.query(`create role ${role} login password 'hush-hush-hush'`)
      try {
        for (const right of [
          `create on database ${new URL(database.url).pathname.slice(1)}`,
          'all on schema sluice',
          'all on all tables in schema sluice',
          'all on all sequences in schema sluice',
        ])
          await admin.query(`grant ${right} to ${role}`)
        await using api = await apiServer(
          pages(async (page) => {
            if (page !== 5) return
            await loaded(database)
            await admin.query(`revoke insert on t.rows from ${role}`)
          }),
        )
        const url = Object.assign(new URL(database.url), { username: role, password: 'hush-hush-hush' }).href
        const { error, report } = await fault(api, url)
        expect(error).toMatch(
          new RegExp(
            String.raw`^bad\.rows: permission denied for table rows \(SQLSTATE 42501\); let the owner grant ` +
              String.raw`this right to the user of DATABASE_URL, then run again`,
          ),
        )
        expect(report!.streams['rows']!.counts.inserted).toBeGreaterThan(0)
        expect(await rejected(database)).toBe(0)
      } finally {
        await admin.query(`drop owned by ${role} cascade`)
        await admin.query(`drop role ${role}`)
      }
    })
  })
})

const reportOf = ({ stdout }: Ended): Report | undefined =>
  stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Report)

async function rejected(database: TestDatabase): Promise<number> {
  const [row] = await database.database.query<{ count: number }>('select count(*)::int as count from sluice.rejects')
  return row!.count
}

/** Resolves when some rows are stored. */
async function loaded(database: TestDatabase): Promise<void> {
  for (;;) {
    const [row] = await database.database.query<{ rows: number }>(
      `select count(*)::int as rows from sluice.slices where batches > 0`,
    )
    if (row!.rows > 0) return
    await sleep(20)
  }
}
