import { expect, test } from '@jest/globals'
import type { StreamStatus } from '../../../src/index.ts'
import type { OpenReadings } from '../../../src/ledger/read/read-open-readings.ts'
import { openReading } from '../../../src/run/status/open-reading.ts'

const open: OpenReadings = {
  pipeline: 'shop',
  stream: 'log',
  kind: 'sync',
  readings: 1,
  slice: '3',
  run: '7',
  reasons: ['page 2 was full'],
  lower: undefined,
  upper: undefined,
}
const status: StreamStatus = {
  pipeline: 'shop',
  stream: 'log',
  table: 'shop.log',
  state: 'done',
  completeness: { grade: 'open', reasons: ['page 2 was full'] },
  openReadings: 1,
  cursor: { value: '5', movedAt: '2024-01-01T00:00:00Z' },
  runs: [],
  rejects: 0,
}
const terms = { isAccepted: false, isKeyless: false }
const messageOf = (
  more: Partial<OpenReadings>,
  itsTerms: Partial<typeof terms> = {},
  its: Partial<StreamStatus> = {},
): string => openReading({ ...open, ...more }, { ...status, ...its }, { ...terms, ...itsTerms }).message

test('a stream with a key is read once more in full, and windows by another backfill', () => {
  expect(messageOf({})).toContain('then read everything once: sluice run shop.log --full')
  const days = { lower: new Date('2024-01-01Z'), upper: new Date('2024-01-02T06:00:00Z') }
  expect(messageOf({ kind: 'backfill', ...days })).toMatch(
    /^1 window of its backfills \(2024-01-01 to 2024-01-02T06:00:00Z\) .*, then backfill the range with another/,
  )
})

test('rows that are appended without a key are not read twice into the same table', () => {
  const drop = 'drop shop.log, which has no key and would get rows twice, and fill it again: sluice run shop.log --full'
  const isKeyless = true
  expect(messageOf({}, { isKeyless })).toContain(`then ${drop}`)
  expect(messageOf({ kind: 'backfill' }, { isKeyless })).toMatch(new RegExp(`then ${drop}$`))
  expect(messageOf({}, { isKeyless }, { completeness: { grade: 'ended', reasons: [] } })).toContain(
    `To close the gap, ${drop}`,
  )
})

test('three reasons are shown, and the number of the others', () => {
  expect(messageOf({ reasons: ['a', 'b', 'c', 'd', 'e'] })).toContain('read everything: a; b; c; and 2 more.')
  expect(messageOf({ reasons: [] })).toContain('read everything: no reason was stored.')
})

test('1,000 open readings are a thousand or more', () => {
  expect(messageOf({ readings: 1_000 })).toMatch(/^1,000 or more readings, the last one by run 7, could not prove/)
  expect(messageOf({ readings: 999 })).toMatch(/^999 readings, the last one by run 7, could not prove that they/)
})
