import { expect, test } from '@jest/globals'
import { readRun } from '../../src/ledger/read/read-runs.ts'
import { LeaseKeeper } from '../../src/ledger/lease/lease-keeper.ts'
import { startRun } from '../../src/ledger/runs.ts'
import { openLedger } from './support.ts'

test('a run that was killed before its first renewal lasted until its last event', async () => {
  await using ledger = await openLedger()
  const { database } = ledger
  const started = new Date(Date.now() - 3_600_000)
  const last = new Date(started.getTime() + 9_000)
  const [killed] = await database.query<{ id: string }>(
    `insert into sluice.runs (kind, pipeline, started_at, seen_at)
     values ('sync', 'killed', $1, $1) returning id`,
    [started],
  )
  await database.query(`insert into sluice.events (run, at, type, data) values ($1, $2, 'gauge', '{}')`, [
    killed?.id,
    last,
  ])
  const ended = { status: 'interrupted', finishedAt: last }
  expect(await readRun(database, killed!.id)).toMatchObject(ended)
  // The next run of the pipeline records that end.
  await using keeper = await LeaseKeeper.open(database)
  await startRun(database, { kind: 'sync', pipeline: 'killed', keeper, signal: new AbortController().signal })
  expect(await readRun(database, killed!.id)).toMatchObject(ended)
})
