import { describe, expect, test } from '@jest/globals'
import type { Queryable } from '../../src/database/queryable.ts'
import { openSnapshot } from '../../src/database/snapshot.ts'
import { DatabaseError } from '../../src/model/errors.ts'
import { testDatabase } from '../support/database.ts'

async function eachQueryable(work: (on: Queryable) => Promise<void>): Promise<void> {
  await using own = await testDatabase({ max: 5 })
  const { database } = own
  await work(database)
  await work(database.with({ timeout: '5s' }))
  await using transaction = await database.transaction()
  await work(transaction)
  await using connection = await database.connection()
  await work(connection)
  await using snapshot = await openSnapshot(database)
  await work(snapshot)
}

describe('a database, a transaction, a connection and a snapshot', () => {
  test('return the row of a statement that has exactly one', () =>
    eachQueryable(async (on) => {
      expect(await on.one('select $1::int as n', [7])).toEqual({ n: 7 })
      expect(await on.maybeOne('select 7 as n')).toEqual({ n: 7 })
    }))

  test('return undefined for maybeOne, and throw for one, if there is no row', () =>
    eachQueryable(async (on) => {
      expect(await on.maybeOne('select 1 as n where false')).toBeUndefined()
      await expect(on.one('select 1 as n where false')).rejects.toThrow(
        /^Database \w+ at .+: a statement returned 0 rows instead of one: select 1 as n where false\./,
      )
    }))

  test('throw if there are several rows', () =>
    eachQueryable(async (on) => {
      const several = 'select n from generate_series(1, 3) as n'
      await expect(on.one(several)).rejects.toThrow('returned 3 rows instead of one')
      await expect(on.maybeOne(several)).rejects.toThrow(DatabaseError)
    }))
})

test('the message quotes at most the beginning of a long statement, in one line', async () => {
  await using own = await testDatabase()
  const columns = Array.from({ length: 1_000 }, (_, index) => `${index} as column_${index}`).join(',\n')
  const failed = own.database.one(`select ${columns} where false`)
  await expect(failed).rejects.toThrow(/instead of one: select 0 as column_0, 1 as .*…\. Report this/)
  await expect(failed).rejects.toThrow(expect.objectContaining({ message: expect.not.stringContaining('\n') }))
})
