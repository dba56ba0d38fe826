import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { sleep } from '../../src/flow/signals/sleep.ts'
import { apiServer } from '../support/api-server.ts'
import { administer, testDatabase, urlOf, type TestDatabase } from '../support/database.ts'
import { mayMount, smallDisk } from '../support/small-disk.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'
import { fault, files, pages, TOKEN } from './support/fault.ts'

describe('each error of the database is one message with a location, the problem and what to do:', () => {
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

  test('a database that is down is told before a command gives up, by --quiet on a terminal only', async () => {
    await using here = await project(files)
    const env = {
      API: 'http://127.0.0.1:1',
      API_TOKEN: TOKEN,
      DATABASE_URL: 'postgres://127.0.0.1:1/w?connect_timeout=5',
    }
    const waiting = await callSluice(['runs'], { cwd: here.cwd, env })
    const quiet = await callSluice(['run', 'bad', '--quiet'], { cwd: here.cwd, env })
    expect(waiting.stderr.split('\n')).toEqual([
      'sluice: Database w at 127.0.0.1:1: no server listens there (connection refused); waits for it, 5s at most',
      expect.stringMatching(/^Database w at 127\.0\.0\.1:1: no server listens there .* for 5s; start PostgreSQL there/),
      '',
    ])
    expect(quiet.stderr).not.toContain('waits')
  })

  test('a read-only database', async () => {
    await using api = await apiServer(pages())
    await using database = await testDatabase()
    await administer(`alter database ${new URL(database.url).pathname.slice(1)} set default_transaction_read_only = on`)
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
      'create table t.rows (id bigint primary key, name text)',
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
          String.raw`^(?:bad\.rows: )?t\.rows: the user ${role} lacks the right to insert\. ` +
            String.raw`Let its owner ${role} run: grant insert on "t"\."rows" to "${role}"`,
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
