import { expect, test } from '@jest/globals'
import type { Database } from '../../src/database/database.ts'
import { openSnapshot } from '../../src/database/snapshot.ts'
import { testDatabase } from '../support/database.ts'

test('all connections of a snapshot see the rows at its opening', async () => {
  await using own = await testDatabase({ max: 5 })
  await own.database.query('create table public.t as select 1 as n')
  await using snapshot = await openSnapshot(own.database)
  await own.database.query('insert into public.t values (2)')
  const seen = await Promise.all(Array.from({ length: 6 }, () => snapshot.query('select n from public.t')))
  expect(seen).toEqual(Array.from({ length: 6 }, () => [{ n: 1 }]))
})

test('a snapshot that fails to open releases every connection, even one that opens late', async () => {
  await using own = await testDatabase({ max: 5 })
  const { database } = own
  const failed = Promise.withResolvers<void>()
  let late: Promise<unknown> | undefined
  let transactions = 0
  const failing = {
    label: database.label,
    async transaction(options: Parameters<Database['transaction']>[0]) {
      transactions += 1
      if (transactions === 2) {
        setImmediate(failed.resolve)
        throw new Error('no connection')
      }
      if (transactions === 3) await failed.promise
      const opening = database.transaction(options)
      if (transactions === 3) late = opening
      return opening
    },
  } as unknown as Database
  await expect(openSnapshot(failing)).rejects.toThrow('no connection')
  await failed.promise
  await new Promise(setImmediate)
  await late
  expect(transactions).toBe(3)
  expect(database.inUse).toBe(0)
})
