import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

test('sluice prune says what it removes, after a dry run that removes nothing', async () => {
  await using here = await project({})
  await using target = await testDatabase()
  await target.database.query(
    `insert into sluice.events (at, type, data)
     select clock_timestamp() - n * interval '1 day', 'warning', '{}' from generate_series(1, 9) as n`,
  )
  const prune = (...words: string[]) =>
    callSluice(['prune', ...words], { cwd: here.cwd, env: { DATABASE_URL: target.url } })
  const events = async () => (await target.database.query('select from sluice.events')).length

  const planned = await prune('--dry-run')
  expect(planned).toMatchObject({ code: 0, stderr: '' })
  expect(planned.stdout).toContain(
    ': 0 runs, 0 slices, 0 rejects, 3 events, 0 ticks and 0 deleted rows would be removed from the ledger\n',
  )
  expect(await events()).toBe(9)
  const removed = await prune('--json')
  expect(JSON.parse(removed.stdout)).toEqual({ runs: 0, slices: 0, rejects: 0, events: 3, ticks: 0, deletedRows: 0 })
  expect(await events()).toBe(6)
  expect((await prune()).stdout).toContain(': nothing in the ledger is old enough to be removed\n')
})
