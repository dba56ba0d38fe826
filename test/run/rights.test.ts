import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { pipeline, source, type Stream } from '../../src/index.ts'
import { checkTable } from '../../src/run/check/check-table.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { openDatabase, type Database } from '../../src/database/database.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { table } from '../load/support.ts'

// A table of another owner, which a user without further rights loads.

interface Row {
  readonly id: number
  readonly n?: number
  readonly note?: string
}

const shared: { test?: TestDatabase; url?: string; role?: string } = {}
let tables = 0

beforeAll(async () => {
  const test = (shared.test = await testDatabase())
  const role = (shared.role = `${new URL(test.url).pathname.slice(1)}_role`)
  shared.url = Object.assign(new URL(test.url), { username: role, password: 'hush-hush-hush' }).href
  await statements(
    test.database,
    `create role ${role} login password 'hush-hush-hush'`,
    `grant all on schema sluice to ${role}`,
    `grant all on all tables in schema sluice to ${role}`,
    `grant all on all sequences in schema sluice to ${role}`,
    'create schema shop',
    `grant usage on schema shop to ${role}`,
  )
})

afterAll(async () => {
  const { test, role } = shared
  await test?.database.query(`drop owned by ${role} cascade`)
  await test?.database.query(`drop role ${role}`)
  await test?.[Symbol.asyncDispose]()
})

async function statements(database: Database, ...all: readonly string[]): Promise<void> {
  for (const statement of all) await database.query(statement)
}

/** Creates a table with a row, `ROLE` and `TABLE` in the statements being its names; returns its name. */
async function made(...more: readonly string[]): Promise<string> {
  const name = `shop.t${(tables += 1)}`
  const given = more.map((text) => text.replaceAll('TABLE', name).replaceAll('ROLE', shared.role!))
  await statements(
    shared.test!.database,
    `create table ${name} (id bigint primary key, n bigint, note text, secret text default 'hidden')`,
    `insert into ${name} values (1, 1, 'one')`,
    ...given,
  )
  return name
}

/** Runs a stream of the rows as the user without further rights. */
async function run(
  name: string,
  rows: readonly Row[],
  options: object = {},
  change: (stream: Stream<Row>) => Stream<Row> = (stream) => stream,
) {
  const stream = source<Row>(async function* () {
    yield { records: [...rows], position: 1 }
  })
  const flow = change(stream).into(name as 'shop.t', { key: 'id', ...options })
  const report = await runPipeline(pipeline(name.replace('.', '_'), { streams: { rows: flow } }), {
    database: shared.url!,
  })
  return report.streams.rows
}

const rowsOf = (name: string) => shared.test!.database.query(`select id::int, n::int, note from ${name} order by id`)

const isGone = (stream: Stream<Row>): Stream<Row> => stream.deleted(({ note }) => note === 'gone')

describe('a table of another owner', () => {
  test('is merged into by a user with the rights of the loaded columns only', async () => {
    const name = await made('grant select (id, n), insert (id, n), update (n) on TABLE to ROLE')
    const stream = await run(name, [
      { id: 1, n: 5 },
      { id: 2, n: 2 },
    ])
    expect(stream).toMatchObject({ status: 'done', counts: { inserted: 1, updated: 1 } })
    expect(await rowsOf(name)).toEqual([
      { id: 1, n: 5, note: 'one' },
      { id: 2, n: 2, note: null },
    ])
  })

  test('fails if a column lacks a right, and names the column, the owner and the grant, as check does', async () => {
    const name = await made('grant select, insert on TABLE to ROLE', 'grant update (id, n) on TABLE to ROLE')
    const { user } = await shared.test!.database.one<{ user: string }>('select current_user as "user"')
    const text =
      `${name}: the user ${shared.role} lacks the right to update the columns note. Let its owner ${user} run: ` +
      `grant update ("note") on "shop"."${name.slice(5)}" to "${shared.role}"`
    const stream = await run(name, [{ id: 1, n: 5, note: 'two' }])
    expect(stream).toMatchObject({ status: 'failed', error: expect.stringContaining(text) })
    expect(await rowsOf(name)).toEqual([{ id: 1, n: 1, note: 'one' }])
    await using poor = await openDatabase({ url: shared.url! })
    const check = { pipeline: 'p', stream: 'rows', table: table({ name }), ledger: 'current' as const }
    await expect(checkTable(poor, { ...check, rows: [{ id: 1, n: 5, note: 'two' }] })).rejects.toThrow(text)
    await expect(checkTable(poor, { ...check, rows: [{ id: 1, n: 5 }] })).resolves.toMatchObject({
      text: expect.stringContaining('exists'),
    })
  })

  test('without the right to delete fails at the first deleted record, with the grant, as check does', async () => {
    const name = await made('grant select, insert, update on TABLE to ROLE')
    const { user } = await shared.test!.database.one<{ user: string }>('select current_user as "user"')
    const text =
      `${name}: the user ${shared.role} lacks the right to delete. Let its owner ${user} run: ` +
      `grant delete on "shop"."${name.slice(5)}" to "${shared.role}"`
    expect(await run(name, [{ id: 2, n: 2, note: 'two' }], {}, isGone)).toMatchObject({ status: 'done' })
    const stream = await run(name, [{ id: 1, n: 1, note: 'gone' }], {}, isGone)
    expect(stream).toMatchObject({
      status: 'failed',
      error: expect.stringContaining(text),
    })
    await using poor = await openDatabase({ url: shared.url! })
    const check = { pipeline: 'p', stream: 'rows', table: table({ name }), ledger: 'current' as const }
    await expect(checkTable(poor, { ...check, rows: undefined, announces: true })).rejects.toThrow(text)
    await expect(checkTable(poor, { ...check, rows: undefined })).resolves.toMatchObject({
      text: expect.stringContaining('exists'),
    })
  })

  test('in a schema that the user may not use is an error with the grant', async () => {
    const name = 'closed.rows'
    await statements(
      shared.test!.database,
      'create schema closed',
      `create table ${name} (id bigint primary key, n bigint)`,
      `grant select, insert, update on ${name} to ${shared.role}`,
    )
    const stream = await run(name, [{ id: 1, n: 5 }])
    expect(stream).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('sluice migrate --grant USER --apply --schema closed'),
    })
  })
})

describe('row security', () => {
  const all = 'grant select, insert, update, delete on TABLE to ROLE'
  const active = 'alter table TABLE enable row level security'

  test('that may hide rows is an error before anything is written', async () => {
    const name = await made(all, active, 'create policy part on TABLE to ROLE using (n > 3) with check (true)')
    const stream = await run(name, [
      { id: 1, n: 5 },
      { id: 2, n: 5 },
    ])
    expect(stream).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('and may limit which rows it can select, insert, update, delete'),
    })
    expect(await rowsOf(name)).toEqual([{ id: 1, n: 1, note: 'one' }])
    const { error } = await run(await made(all, active), [{ id: 1 }], { key: undefined, write: 'append' })
    expect(error).toContain('PostgreSQL then copies no rows into a table. Give the stream a key')
  })

  test.each([
    ['has a policy that lets all rows through', [active, 'create policy every on TABLE using (true)']],
    ['is not active for the user, who bypasses it', [active, 'alter role ROLE bypassrls']],
  ])('that %s does not matter', async (_, policy) => {
    try {
      const name = await made(all, ...policy)
      const stream = await run(name, [
        { id: 1, n: 5 },
        { id: 2, n: 2 },
      ])
      expect(stream).toMatchObject({ status: 'done', counts: { inserted: 1, updated: 1 } })
      expect(await run(name, [{ id: 1, n: 6 }], { write: 'replace', adopt: true })).toMatchObject({ status: 'done' })
      expect(await rowsOf(name)).toEqual([{ id: 1, n: 6, note: 'one' }])
    } finally {
      await shared.test!.database.query(`alter role ${shared.role} nobypassrls`)
    }
  })

  test('with a restrictive policy beside the one that lets all rows through is an error', async () => {
    const name = await made(
      all,
      active,
      'create policy every on TABLE using (true)',
      'create policy but on TABLE as restrictive for update using (n > 3)',
    )
    const { error } = await run(name, [{ id: 1, n: 5 }])
    expect(error).toContain('may limit which rows it can update. ')
  })
})
