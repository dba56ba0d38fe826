import { describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/database/database.ts'
import { testDatabase } from '../support/database.ts'
import { balances, load, table } from './support.ts'

/** Creates a table of three columns, of which `key` is the key, divided by `by`. */
async function divided(database: Database, by: string, key: string): Promise<void> {
  await database.query('create schema shop')
  await database.query(
    `create table shop.orders (id bigint, day date, n text, primary key (${key})) partition by ${by}`,
  )
}

describe('a merge into a partitioned table', () => {
  test('counts exactly, also what another session inserts meanwhile or a failed attempt has counted', async () => {
    await using test = await testDatabase()
    const { database } = test
    await divided(database, 'range (id)', 'id')
    await database.query('create table shop.low partition of shop.orders for values from (0) to (100)')
    await database.query('alter table shop.low add check (n <> $$bad$$)')
    await load(database, table(), [
      { id: 1, n: 'a' },
      { id: 2, n: 'b' },
    ])
    const other = await database.transaction()
    await other.run(`insert into shop.orders (id, n) values (3, 'theirs'), (4, 'same')`)
    const loading = load(database, table(), [
      { id: 1, n: 'x' },
      { id: 2, n: 'b' },
      { id: 3, n: 'ours' },
      { id: 4, n: 'same' },
      { id: 5, n: 'new' },
    ])
    await waits(database)
    await other.commit()
    const { counts } = await loading
    expect(counts).toMatchObject({ inserted: 1, updated: 2, unchanged: 2 })
    // The attempt that fails has counted too.
    const bisected = await load(database, table(), [
      { id: 1, n: 'y' },
      { id: 2, n: 'z' },
      { id: 6, n: 'bad' },
      { id: 500, n: 'elsewhere' },
    ])
    expect(bisected.counts).toMatchObject({ inserted: 0, updated: 2, rejected: 2 })
    expect(balances(bisected.counts)).toBe(true)
    expect(bisected.rejects.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('change the check of the table'),
      expect.stringContaining('Create the partition for it, or a default partition'),
    ])
  })

  test.each([
    [
      'range (day)',
      'id, day',
      'there is no unique index of exactly (id), which writing by key needs, and the table is partitioned by ' +
        'RANGE (day): a unique index of such a table has to contain day. Add the field of day to the key' +
        ': the table is unique by (id, day)',
    ],
    ['list (id)', 'id, day', 'Run: create unique index on "shop"."orders" ("id")'],
  ])('needs a unique index of the key that contains the columns of the partitions: %s', async (by, key, fault) => {
    await using test = await testDatabase()
    await divided(test.database, by, key)
    await expect(load(test.database, table(), [{ id: 1 }])).rejects.toThrow(fault)
  })

  test('is impossible where an expression divides the table, which the error says', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id bigint, n text) partition by hash ((id % 4))')
    await expect(load(database, table(), [{ id: 1 }])).rejects.toThrow('divided by an expression')
  })
})

/** Resolves when a session waits for a lock. */
async function waits(database: Database): Promise<void> {
  while (true) {
    const [found] = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (found) return
    await sleep(10)
  }
}
