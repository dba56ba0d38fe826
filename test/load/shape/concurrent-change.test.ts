import { describe, expect, test } from '@jest/globals'
import { isTableChanged } from '../../../src/database/errors.ts'
import type { EncodedPage } from '../../../src/load/encode/encoded-page.ts'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { testDatabase } from '../../support/database.ts'
import { columnsOf, commit, load, page, table } from '../support.ts'

describe('a schema change by one of several sessions', () => {
  test('is made once if two writers need it at the same time, and both continue', async () => {
    await using test = await testDatabase()
    const { database } = test
    const loadUntilItFits = async (records: readonly unknown[]): Promise<unknown> => {
      try {
        return await load(database, table(), records)
      } catch (error) {
        // Rows encoded for the former shape are encoded again.
        if (!isTableChanged(error)) throw error
        return loadUntilItFits(records)
      }
    }
    await Promise.all(
      [0, 1, 2, 3].map((worker) =>
        loadUntilItFits([{ id: worker, [`f${worker % 2}`]: worker + 0.5, shared: worker === 3 ? 'x' : 1 }]),
      ),
    )
    expect(await columnsOf(database)).toMatchObject({ f0: 'numeric', f1: 'numeric', shared: 'text' })
    expect(await database.query('select count(*)::int as n from shop.orders')).toEqual([{ n: 4 }])
  })

  test('waits while another session changes the table', async () => {
    await using test = await testDatabase()
    const { database } = test
    await using other = await database.transaction()
    await other.lock('table shop.orders')
    const loaded = load(database, table({ adopt: true }), [{ id: 1, n: 1 }])
    const waits = async (): Promise<boolean> =>
      (
        await database.query(
          `select from pg_locks where not granted and locktype = $1
             and database = (select oid from pg_database where datname = current_database())`,
          ['advisory'],
        )
      ).length > 0
    while (!(await waits())) await sleep(10)
    await other.run('create schema shop; create table shop.orders (id bigint primary key)')
    await other.commit()
    expect((await loaded).events).toEqual([
      expect.objectContaining({ type: 'table.altered', change: 'added n bigint' }),
    ])
  })

  test('makes the write of rows that were encoded for the former type fail', async () => {
    await using test = await testDatabase()
    const { database } = test
    for (const write of ['merge', 'append'] as const) {
      const name = `shop.${write}`
      const definition = table({ name, write, key: write === 'merge' ? ['id'] : [] })
      const { writer } = await load(database, definition, [{ id: 1, v: 'text' }])
      const encoded = writer.encode(page([{ id: 2, v: '123' }])) as EncodedPage
      await load(database, definition, [{ id: 3, v: { now: 'json' } }])
      const failure = await commit(database, writer, [encoded]).catch((error: unknown) => error)
      expect(isTableChanged(failure)).toBe(true)
      expect(await database.query(`select v from ${name} where id = 2`)).toEqual([])
    }
  })
})
