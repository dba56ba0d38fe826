import { expect, test } from '@jest/globals'
import { ScratchSession } from '../../src/database/scratch-session.ts'
import { testDatabase } from '../support/database.ts'

test('temporary tables outlive statements, and need no transaction that would keep old rows alive', async () => {
  await using test = await testDatabase()
  await using scratch = await ScratchSession.open(test.database)
  await scratch.query('create temporary table kept (id int); insert into kept values (1)')
  expect(await scratch.copy('copy pg_temp.kept from stdin', [Buffer.from('2\n3\n')])).toBe(2)
  expect(await scratch.one('select count(*)::int as rows from pg_temp.kept')).toEqual({ rows: 3 })
  const { pid } = await scratch.one<{ pid: number }>('select pg_backend_pid() as pid')
  expect(await test.database.query('select state from pg_stat_activity where pid = $1', [pid])).toEqual([
    { state: 'idle' },
  ])
})

test('behind a pooler, which shares connections, the error names the setting for the way past it', async () => {
  await using test = await testDatabase()
  const open = test.database.connection.bind(test.database)
  // A pooler names another backend than the one that works.
  test.database.connection = async (options) => Object.defineProperty(await open(options), 'pid', { value: 999_999 })
  await expect(ScratchSession.open(test.database)).rejects.toThrow(/a pooler shares .* Set DATABASE_DIRECT_URL/)
})
