import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Database } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { testDatabase } from '../support/database.ts'
import { PgProxy } from '../support/pg-proxy.ts'

/** Writes migrations for one test, and opens a database in which none has run. */
async function withFiles(files: Readonly<Record<string, string>>) {
  const stack = new AsyncDisposableStack()
  const own = stack.use(await testDatabase())
  await own.database.query('drop schema sluice cascade')
  const directory = stack.use(await mkdtempDisposable(join(tmpdir(), 'sluice-migrations-')))
  const write = (name: string, text: string): Promise<void> => writeFile(join(directory.path, name), text)
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return { ...own, directory: directory.path, write, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('migrate runs each new migration once, in order', async () => {
  await using own = await withFiles({
    '0002_b.sql': 'insert into sluice.a values (2);',
    '0001_a.sql': 'create table sluice.a (n int); insert into sluice.a values (1);',
    'notes.md': 'not a migration',
  })
  const { database, directory } = own
  expect(await migrate(database, { directory })).toEqual(['0001_a', '0002_b'])
  expect(await migrate(database, { directory })).toEqual([])
  await own.write('0003_c.sql', 'insert into sluice.a values (3);')
  expect(await migrate(database, { directory })).toEqual(['0003_c'])
  expect(await database.query('select array_agg(n) as n from sluice.a')).toEqual([{ n: [1, 2, 3] }])
})

test('migrate runs one that came to a version after another with a higher number', async () => {
  await using own = await withFiles({
    '0001_a.sql': 'create table sluice.a (n int);',
    '0003_c.sql': 'insert into sluice.a values (3);',
  })
  const { database, directory } = own
  await migrate(database, { directory })
  await own.write('0002_b.sql', 'insert into sluice.a values (2);')
  expect(await migrate(database, { directory })).toEqual(['0002_b'])
  expect(await migrate(database, { directory })).toEqual([])
  expect(await database.query('select array_agg(n order by n) as n from sluice.a')).toEqual([{ n: [2, 3] }])
})

test('migrate runs twice at once without conflict', async () => {
  await using own = await withFiles({
    '0001_a.sql': 'create table sluice.a (n int); select pg_sleep(0.05); insert into sluice.a values (1);',
  })
  await using other = new Database({ url: own.url })
  const ran = await Promise.all(
    [own.database, other, own.database].map((database) => migrate(database, { directory: own.directory })),
  )
  expect(ran.flat()).toEqual(['0001_a'])
  expect(await own.database.query('select * from sluice.a')).toEqual([{ n: 1 }])
})

test('migrate rolls back all migrations if one fails', async () => {
  await using own = await withFiles({ '0001_a.sql': 'create table sluice.a (n int);', '0002_b.sql': 'select 1 / 0;' })
  await expect(migrate(own.database, { directory: own.directory })).rejects.toMatchObject({ code: '22012' })
  expect(await own.database.query(`select to_regnamespace('sluice') as s`)).toEqual([{ s: null }])
})

test('migrate sends one query if nothing is new', async () => {
  await using own = await testDatabase()
  const asked: string[] = []
  await using proxy = await PgProxy.open({
    port: Number(new URL(own.url).port),
    watchers: [
      {
        before: ({ from, name, text }) => {
          if (from === 'client' && (name === 'Query' || name === 'Parse')) asked.push(text ?? '')
        },
      },
    ],
  })
  await using database = new Database({ url: proxy.through(own.url) })
  expect(await migrate(database)).toEqual([])
  expect(asked).toEqual(['select name from sluice.migrations'])
})

test('migrate leaves no setting in the session of a pooler', async () => {
  await using own = await withFiles({ '0001_a.sql': 'create table sluice.a (n int);' })
  await using database = new Database({ url: own.url, max: 1 })
  await migrate(database, { directory: own.directory })
  expect(
    await database.query(
      `select current_setting('search_path') as path,
         (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`,
    ),
  ).toEqual([{ path: '"$user", public', locks: 0 }])
})

test('migrate refuses a schema of a newer version', async () => {
  await using own = await withFiles({ '0001_a.sql': 'create table sluice.a (n int);' })
  await migrate(own.database, { directory: own.directory })
  await own.database.query(`insert into sluice.migrations (name, run_on) values ('0009_future', now())`)
  await expect(migrate(own.database, { directory: own.directory })).rejects.toThrow(
    /schema sluice was made by a newer version \(0009_future\); install that version/,
  )
})
