import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Report } from '../../../src/model/report.ts'
import type { Ended } from '../support/command.ts'
import { openShop, orders, type Shop } from '../support/shop.ts'

let shop: Shop
const sluice: Shop['sluice'] = (...args) => shop.sluice(...args)
const report = ({ stdout }: Ended): Report => JSON.parse(stdout) as Report

beforeAll(async () => {
  shop = await openShop()
  await sluice('run', 'shop', '--json')
})
afterAll(async () => shop[Symbol.asyncDispose]())

describe('sluice cursor', () => {
  test('show lists the cursor of each stream', async () => {
    expect((await sluice('cursor', 'show')).stdout).toMatch(/^shop\.orders +2024-01-05T00:00:00Z/m)
  })

  test('set makes the next run read from that value', async () => {
    expect((await sluice('cursor', 'set', 'shop.orders', '2024-01-03T00:00:00Z')).stdout).toBe(
      'shop.orders: the next run reads from 2024-01-03T00:00:00Z (it was 2024-01-05T00:00:00Z)\n',
    )
    expect(report(await sluice('run', 'shop.orders', '--json')).streams['orders']).toMatchObject({
      since: '2024-01-03T00:00:00Z',
      counts: { fetched: 3 },
    })
  })

  test('set refuses a value of another kind, and a stream that does not exist', async () => {
    expect(await sluice('cursor', 'set', 'shop.orders', 'soon')).toMatchObject({
      code: 2,
      stderr: 'shop.orders: the cursor is a time (2024-01-05T00:00:00Z), and soon is text: write it as the API does\n',
    })
    expect((await sluice('cursor', 'set', 'shop.nothing', '1')).stderr).toContain("shop has no stream 'nothing'")
  })

  test('reset makes the next run read from the start', async () => {
    expect((await sluice('cursor', 'reset', 'shop')).stdout).toBe(
      'shop.lines: the next run reads from the start (the cursor was 2024-01-05T00:00:00Z)\n' +
        'shop.orders: the next run reads from the start (the cursor was 2024-01-05T00:00:00Z)\n',
    )
    expect(await sluice('cursor', 'reset', 'shop.orders')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'there is no cursor and no interrupted read of orders. Streams that have one: none',
      ),
    })
    expect(report(await sluice('run', 'shop.orders', '--json')).streams['orders']).toMatchObject({
      counts: { fetched: 5 },
    })
  })
})

test('cursors of child lists are counted, and a reset removes them', async () => {
  await shop.database.database.query(
    `insert into sluice.parent_cursors (pipeline, stream, list, request, value)
     select 'shop', 'comments', 'list ' || n, 'GET /orders/' || n, '2024-01-05' from generate_series(1, 2) as n`,
  )
  expect((await sluice('cursor', 'show', 'shop.comments')).stdout).toMatch(
    /^shop\.comments +one for each of 2 parents/m,
  )
  expect((await sluice('cursor', 'reset', 'shop.comments')).stdout).toBe(
    'shop.comments: the next run reads from the start\n',
  )
  expect(await shop.database.database.query('select * from sluice.parent_cursors')).toEqual([])
})

test('an unfinished reading of everything is shown, and a reset gives it up', async () => {
  await shop.database.database.query(
    `insert into sluice.full_reads (pipeline, stream, definition, started_by, first_slice)
     values ('shop', 'comments', 'd', 7, 1000)`,
  )
  expect((await sluice('cursor', 'show', 'shop.comments')).stdout).toContain(
    'run 7 was to read everything, the next run goes on',
  )
  await sluice('cursor', 'reset', 'shop.comments')
  expect(await shop.database.database.query('select from sluice.full_reads')).toEqual([])
})

describe('a name that exists nowhere', () => {
  test.each([
    ['cursor', 'reset'],
    ['cursor', 'show'],
    ['rejects', 'list'],
  ])('is refused by sluice %s %s, with the names that exist', async (...words) => {
    expect(await sluice(...words, 'nosuch')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(
        "There is no pipeline 'nosuch', neither in pipelines/ nor in the database (found: shop)",
      ),
    })
    expect((await sluice(...words, 'shpo')).stderr).toContain('(found: shop). Did you mean shop?')
    expect(await sluice(...words, 'shop.nosuch')).toMatchObject({ code: 2, stdout: '' })
  })

  test('is refused as a stream, with the streams that exist', async () => {
    expect((await sluice('rejects', 'list', 'shop.nosuch')).stderr).toMatch(
      /^shop has no stream 'nosuch': it has (?:lines, orders|orders, lines) \[NO_PIPELINE\]\n$/,
    )
  })
})

describe('sluice migrate', () => {
  test('--grant prints the grants of a role, and changes nothing', async () => {
    const { code, stdout } = await sluice('migrate', '--grant', 'etl', '--schema', 'billing')
    expect(code).toBe(0)
    expect(stdout).toContain('grant usage, create on schema sluice to "etl";\n')
    expect(stdout).toContain('create schema if not exists "billing";\n')
  })

  test('--grant --apply names a role that does not exist', async () => {
    expect(await sluice('migrate', '--grant', 'nosuch', '--apply')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('role "nosuch" does not exist'),
    })
  })

  test('--apply without --grant is a wrong usage', async () => {
    expect(await sluice('migrate', '--apply')).toMatchObject({ code: 2 })
  })
})

describe('sluice rejects', () => {
  test('list shows each rejected record with its stage and reason', async () => {
    const { stdout } = await sluice('rejects', 'list', 'shop.orders')
    expect(stdout).toMatch(/shop\.orders +map +a negative total +\{"id":4,"total":-1/)
    const [first] = (await sluice('rejects', 'list', '--json')).stdout.split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({ record: orders[3] })
  })

  test('list of a stream without rejects says so', async () => {
    expect(await sluice('rejects', 'list', 'shop.lines')).toMatchObject({
      code: 0,
      stdout: 'No rejects are waiting for replay.\n',
    })
  })

  test('replay sends one reject through the stages again, and lists it again if it is rejected', async () => {
    const [first] = (await sluice('rejects', 'list', '--json')).stdout.split('\n')
    const { id } = JSON.parse(first ?? '') as { id: string }
    expect(report(await sluice('rejects', 'replay', 'shop.orders', '--id', id, '--json'))).toMatchObject({
      kind: 'replay',
      status: 'done',
      streams: { orders: { counts: { fetched: 1, rejected: 1 } } },
    })
    expect((await sluice('rejects', 'list', '--all', '--json')).stdout.trim().split('\n').length).toBeGreaterThan(1)
    expect(await sluice('rejects', 'replay', 'shop', '--id', id)).toMatchObject({ code: 2 })
  })

  test('drop settles one reject by its id, and refuses one that is not open', async () => {
    const [last] = (await sluice('rejects', 'list', 'shop', '--json')).stdout.trim().split('\n').toReversed()
    const { id } = JSON.parse(last!) as { id: string }
    expect(await sluice('rejects', 'drop', 'shop', '--id', id)).toMatchObject({
      code: 0,
      stdout: 'shop: 1 reject was dropped\n',
    })
    expect(await sluice('rejects', 'drop', 'shop', '--id', id)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`there is no open reject ${id}`),
    })
    expect(await sluice('rejects', 'drop', 'shop', '--id', 'x')).toMatchObject({ code: 2 })
    expect(await sluice('rejects', 'drop', 'nosuch')).toMatchObject({ code: 2 })
    expect((await sluice('rejects', 'drop', '--help')).stdout).toContain('sluice rejects drop billing')
  })
})

describe('sluice sql', () => {
  test('shows the rows of each statement', async () => {
    const statements = 'select id, total from shop.orders order by id limit 1; select 1 as one'
    expect((await sluice('sql', statements)).stdout).toBe(
      'id  total\n--  -----\n 1     10\n(1 row)\none\n---\n  1\n(1 row)\n',
    )
    expect((await sluice('sql', '--json', 'select id, total from shop.orders order by id limit 1')).stdout).toBe(
      '{"id":"1","total":"10"}\n',
    )
  })

  test('shows both of two columns with one name', async () => {
    const statement = 'select count(*), count(*) + 1 as count_2, -count(*) as count from (values (1)) as one'
    expect((await sluice('sql', statement)).stdout).toBe(
      'count  count_2  count_3\n-----  -------  -------\n    1        2       -1\n(1 row)\n',
    )
    expect((await sluice('sql', '--json', statement)).stdout).toBe('{"count":"1","count_2":"2","count_3":"-1"}\n')
  })

  test('runs a statement alone that no transaction allows, with --write', async () => {
    const name = `${new URL(shop.database.url).pathname.slice(1)}_more`
    const create = `create database ${name}`
    expect((await sluice('sql', create)).stderr).toContain('add --write to allow it')
    expect((await sluice('sql', '--write', `select 1; ${create}`)).stderr).toMatch(
      /CREATE DATABASE cannot .+ \(SQLSTATE 25001\); give it alone: several statements are one transaction/,
    )
    expect(await sluice('sql', '--write', create)).toMatchObject({ code: 0, stdout: 'CREATE\n' })
    await shop.database.database.query(`drop database ${name}`)
  })

  test('changes data only with --write', async () => {
    expect(await sluice('sql', 'delete from shop.orders')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('add --write to allow it'),
    })
    expect((await sluice('sql', '--write', 'delete from shop.orders where id = 5')).stdout).toBe('DELETE 1\n')
  })

  test('names the error of a wrong statement', async () => {
    expect((await sluice('sql', 'selec')).stderr).toContain('syntax error at or near "selec"')
    expect((await sluice('sql', 'select * from ordres')).stderr).toContain(
      '(SQLSTATE 42P01); to list the tables of the',
    )
    expect((await sluice('sql', 'select orders.totl from shop.orders')).stderr).toContain(
      'Perhaps you meant to reference the column "orders.total".',
    )
    expect(await sluice('sql', String.raw`\d shop.orders`)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^\\d is a command of psql, and not SQL\. /),
    })
  })
})

test('sluice migrate says that the schema is up to date', async () => {
  expect((await sluice('migrate')).stdout).toMatch(/: schema sluice is up to date$/m)
})
