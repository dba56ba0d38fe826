import { describe, expect, test } from '@jest/globals'
import { Ticks } from '../../../src/run/schedule/ticks.ts'

/** Returns the ticks of some days as wall times, with the offset from UTC. */
function ticks(cron: string, zone: string, from: string, until: string): string[] {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'longOffset',
  })
  return [...new Ticks({ cron: cron as '* * * * *', zone }).between(new Date(from), new Date(until))].map((tick) => {
    const parts = Object.fromEntries(format.formatToParts(tick).map(({ type, value }) => [type, value]))
    return `${parts['month']}-${parts['day']} ${parts['hour']}:${parts['minute']} ${parts['timeZoneName']!.slice(3, 6)}`
  })
}

describe('on the day when clocks go forward', () => {
  test('a time that does not exist ticks when the clock has jumped', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '03-28 02:30 +01',
      '03-29 03:00 +02',
      '03-30 02:30 +02',
    ])
    expect(ticks('30 2 * * *', 'America/New_York', '2026-03-07T00:00Z', '2026-03-09T12:00Z')).toEqual([
      '03-07 02:30 -05',
      '03-08 03:00 -04',
      '03-09 02:30 -04',
    ])
  })

  test('a pattern that follows the clock leaves out what does not exist', () => {
    expect(ticks('*/30 1-3 * * *', 'Europe/Berlin', '2026-03-28T23:00Z', '2026-03-29T12:00Z')).toEqual([
      '03-29 01:00 +01',
      '03-29 01:30 +01',
      '03-29 03:00 +02',
      '03-29 03:30 +02',
    ])
    expect(ticks('0 * * * *', 'America/New_York', '2026-03-08T04:30Z', '2026-03-09T03:30Z')).toHaveLength(23)
  })
})

describe('on the day when clocks go back', () => {
  test('a time that comes twice ticks the first time only', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T12:00Z')).toEqual([
      '10-25 02:30 +02',
      '10-26 02:30 +01',
    ])
    expect(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', '2026-11-02T12:00Z')).toEqual([
      '11-01 01:30 -04',
      '11-02 01:30 -05',
    ])
    expect(ticks('0,30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-25T12:00Z')).toEqual([
      '10-25 02:00 +02',
      '10-25 02:30 +02',
    ])
  })

  test('a pattern that follows the clock ticks at both', () => {
    expect(ticks('*/30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-25T12:00Z')).toEqual([
      '10-25 02:00 +02',
      '10-25 02:30 +02',
      '10-25 02:00 +01',
      '10-25 02:30 +01',
    ])
    expect(ticks('0 * * * *', 'America/New_York', '2026-11-01T03:30Z', '2026-11-02T04:30Z')).toHaveLength(25)
  })
})

test('the last tick up to a moment includes the moment itself', () => {
  const quarters = new Ticks({ cron: '*/15 * * * *', zone: 'UTC' })
  expect(quarters.last(new Date('2026-01-01T00:15:00Z'))).toEqual(new Date('2026-01-01T00:15:00Z'))
  expect(quarters.last(new Date('2026-01-01T00:14:59.999Z'))).toEqual(new Date('2026-01-01T00:00:00Z'))
  expect(quarters.last(new Date('2026-01-01T00:15:00.500Z'))).toEqual(new Date('2026-01-01T00:15:00Z'))
})
