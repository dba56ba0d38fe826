import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'

test('a connection whose transaction has failed is rolled back before it is used again', async () => {
  await using test = await testDatabase({ max: 1 })
  const { database } = test
  await database.query('create table copied (id int)')
  const failing = async (): Promise<void> => {
    await using transaction = await database.transaction()
    // The server sends the error before it is ready for the next statement.
    await transaction.copy(
      `create temporary table t on commit drop as table copied; do $$ begin raise exception 'no'; end $$;
       copy pg_temp.t from stdin`,
      [Buffer.from('1\n')],
    )
  }
  for (let time = 0; time < 20; time += 1) {
    await expect(failing()).rejects.toThrow('no')
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  }
})
