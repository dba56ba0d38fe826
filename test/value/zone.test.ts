import { describe, expect, test } from '@jest/globals'
import { isZoneName, Zone, zoneNamed } from '../../src/value/zone.ts'

const QUARTER_MS = 900_000

const instants = (zone: string, wall: string): string[] =>
  zoneNamed(zone)
    .instantsAt(Date.parse(`${wall}Z`))
    .map((ms) => new Date(ms).toISOString().replace('.000Z', 'Z'))

describe('the instants of a wall time', () => {
  test.each([
    ['UTC', '2024-03-31T02:30:00', ['2024-03-31T02:30:00Z']],
    ['Europe/Berlin', '2024-01-31T10:00:00', ['2024-01-31T09:00:00Z']],
    ['Europe/Berlin', '2024-03-31T02:00:00', []],
    ['Europe/Berlin', '2024-03-31T03:00:00', ['2024-03-31T01:00:00Z']],
    ['Europe/Berlin', '2024-10-27T02:00:00', ['2024-10-27T00:00:00Z', '2024-10-27T01:00:00Z']],
    ['Europe/Berlin', '2024-10-27T03:00:00', ['2024-10-27T02:00:00Z']],
    ['Australia/Lord_Howe', '2024-04-07T01:45:00', ['2024-04-06T14:45:00Z', '2024-04-06T15:15:00Z']],
    ['Pacific/Apia', '2011-12-30T12:00:00', []],
    ['Pacific/Apia', '2011-12-31T00:00:00', ['2011-12-30T10:00:00Z']],
    ['America/Sao_Paulo', '2018-11-04T00:00:00', []],
    ['Asia/Kathmandu', '2024-01-01T00:00:00', ['2023-12-31T18:15:00Z']],
  ])('of %s at %s are %j', (zone, wall, expected) => {
    expect(instants(zone, wall)).toEqual(expected)
  })

  test.each(['America/New_York', 'Africa/Casablanca', 'Pacific/Apia', 'Australia/Lord_Howe'])(
    'in %s are those of the clock, for every quarter of an hour of a year',
    (name) => {
      const zone = new Zone(name)
      const [start, end] = [Date.UTC(2011, 11, 1), Date.UTC(2012, 10, 30)]
      const found = new Map<number, number[]>()
      for (let ms = start; ms < end; ms += QUARTER_MS)
        found.set(zone.wallAt(ms), [...(found.get(zone.wallAt(ms)) ?? []), ms])
      const walls = Array.from({ length: 300 * 96 }, (_, index) => start + 86_400_000 + index * QUARTER_MS)
      const wrong = walls.filter((wall) => String(zone.instantsAt(wall)) !== String(found.get(wall) ?? []))
      expect(wrong).toEqual([])
    },
  )
})

describe('the name of a time zone', () => {
  test.each(['Europe/Berlin', 'UTC', 'Etc/GMT+3', 'America/Argentina/Ushuaia'])('may be %j', (name) => {
    expect(isZoneName(name)).toBe(true)
  })
  test.each(['+02:00', 'Mars/Olympus', '', 7, undefined])('is not %j', (name) => {
    expect(isZoneName(name)).toBe(false)
  })
  test('that does not exist is an error', () => {
    expect(() => zoneNamed('Mars/Olympus')).toThrow("'Mars/Olympus' is not a time zone")
  })
})
