import { expect, test } from '@jest/globals'
import { MAX_OPEN_READINGS, readOpenReadings } from '../../../src/ledger/read/read-open-readings.ts'
import type { CoverOptions } from '../../../src/ledger/slices/cover-open.ts'
import { coveredBy, filledLedger } from './cover-support.ts'

const timesOf: CoverOptions['rangeRead'] = ({ since, high }) => ({ from: Date.parse(since), to: Date.parse(high) })

test('a reading of everything with proof covers every open reading and window before it', async () => {
  await using ledger = await filledLedger()
  await ledger.slice({ grade: 'open' })
  await ledger.slice({ grade: 'open', since: '5' })
  await ledger.windows(1, '1d', ['open'])
  await ledger.slice({ grade: 'open', stream: 'others' })
  const proof = await ledger.slice({ grade: 'counted' })
  await ledger.slice({ grade: 'open', since: '9' })
  await ledger.cover()
  expect(await coveredBy(ledger.database)).toEqual([proof, proof, proof, null, null, null])
})

test('a reading that is open, or of which it is not known, covers nothing', async () => {
  await using ledger = await filledLedger()
  await ledger.slice({ grade: 'open' })
  await ledger.slice({ grade: 'open' })
  await ledger.slice({ grade: null })
  await ledger.cover()
  expect(await coveredBy(ledger.database)).toEqual([null, null, null])
})

test.each([
  ['10', '9', true],
  ['9', '10', false],
  ['9', '9', true],
  ['2024-01-01T01:00:00+01:00', '2024-01-01T00:00:00Z', true],
  ['2024-01-01T00:30:00+01:00', '2024-01-01T00:00:00Z', false],
])('an open reading from %s is covered by one from %s: %s', async (open, since, isCovered) => {
  await using ledger = await filledLedger()
  await ledger.slice({ grade: 'open', since: open })
  const proof = await ledger.slice({ since })
  await ledger.cover()
  expect(await coveredBy(ledger.database)).toEqual([isCovered ? proof : null, null])
})

test('a reading from a cursor covers neither an open reading of everything nor an open window', async () => {
  await using ledger = await filledLedger()
  await ledger.slice({ grade: 'open' })
  await ledger.windows(1, '1d', ['open'])
  await ledger.slice({ since: '1' })
  await ledger.cover()
  expect(await coveredBy(ledger.database)).toEqual([null, null, null])
})

test('an open window is covered by later windows that fill its range with proof', async () => {
  await using ledger = await filledLedger()
  await ledger.windows(1, '2d', ['open', 'open', 'open'])
  await ledger.windows(1, '1d', ['ended', 'counted', 'ended', 'open'])
  await ledger.cover()
  const [first, ...others] = await coveredBy(ledger.database)
  expect(first).not.toBeNull()
  expect(others).toEqual([null, null, null, null, null, null])
})

test('windows that were read before an open one do not cover it', async () => {
  await using ledger = await filledLedger()
  await ledger.windows(1, '1d', ['ended', 'ended'])
  await ledger.windows(1, '2d', ['open'])
  await ledger.cover()
  expect(await coveredBy(ledger.database)).toEqual([null, null, null])
})

test.each([
  ['from the first day to the third', 1, ['ended', 'counted', 'ended'], true],
  ['of which one is open', 1, ['ended', 'open', 'ended'], false],
  ['that end at its greatest value', 1, ['ended', 'ended'], false],
  ['that begin behind its beginning', 2, ['ended', 'ended'], false],
] as const)('windows %s: do they cover an open sync from 1 to 3 January?', async (_, from, grades, isCovered) => {
  await using ledger = await filledLedger()
  await ledger.slice({ grade: 'open', since: '2024-01-01T00:00:00Z', high: '2024-01-03T00:00:00Z' })
  // A reading from the very start has no beginning that a window could have.
  await ledger.slice({ grade: 'open', high: '2024-01-02T00:00:00Z' })
  await ledger.windows(from, '1d', grades)
  await ledger.cover()
  expect((await coveredBy(ledger.database))[0]).toBeNull()
  await ledger.cover({ rangeRead: () => undefined })
  expect((await coveredBy(ledger.database))[0]).toBeNull()
  await ledger.cover({ rangeRead: timesOf })
  const [sync, fromStart] = await coveredBy(ledger.database)
  expect([sync !== null, fromStart]).toEqual([isCovered, null])
})

test('windows that were read before an open sync do not cover it', async () => {
  await using ledger = await filledLedger()
  await ledger.windows(1, '1d', ['ended', 'ended', 'ended'])
  await ledger.slice({ grade: 'open', since: '2024-01-01T00:00:00Z', high: '2024-01-02T00:00:00Z' })
  await ledger.cover({ rangeRead: timesOf })
  expect(await coveredBy(ledger.database)).toEqual([null, null, null, null])
})

test('a range counts as backfilled only if its windows are proven or covered', async () => {
  await using ledger = await filledLedger()
  const isBackfilled = async (): Promise<boolean> =>
    (
      await ledger.database.one<{ done: boolean }>(
        `select sluice.is_backfilled('forum', 'posts', '', '2024-01-01Z', '2024-01-03Z', null) as done`,
      )
    ).done
  await ledger.windows(1, '1d', ['ended', 'open'])
  expect(await isBackfilled()).toBe(false)
  await ledger.slice({ grade: 'ended' })
  await ledger.cover()
  expect(await isBackfilled()).toBe(true)
})

test('the open readings of a stream are counted by kind, with the reasons of the newest one', async () => {
  await using ledger = await filledLedger()
  expect(await readOpenReadings(ledger.database)).toEqual([])
  await ledger.slice({ grade: 'open' })
  const newest = await ledger.slice({ grade: 'open', since: '5' })
  await ledger.windows(3, '1d', ['open', 'ended', 'open'])
  const other = await ledger.slice({ grade: 'open', stream: 'others' })
  const run = ledger.run
  const found = await readOpenReadings(ledger.database)
  expect(found).toHaveLength(3)
  expect(found).toEqual(
    expect.arrayContaining([
      {
        pipeline: 'forum',
        stream: 'posts',
        kind: 'sync',
        readings: 2,
        slice: newest,
        run,
        reasons: ['page 2 was full'],
        lower: undefined,
        upper: undefined,
      },
      expect.objectContaining({
        kind: 'backfill',
        readings: 2,
        reasons: [],
        lower: new Date('2024-01-03Z'),
        upper: new Date('2024-01-06Z'),
      }),
      expect.objectContaining({ stream: 'others', kind: 'sync', readings: 1, slice: other }),
    ]),
  )
  expect(MAX_OPEN_READINGS).toBe(1_000)
})
