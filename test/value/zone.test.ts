import { describe, expect, test } from '@jest/globals'
import { isZoneName, Zone, zoneNamed } from '../../src/value/zone.ts'

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

  test('are those of the clock, over years and for every quarter of an hour', () => {
    for (const name of ['America/New_York', 'Africa/Casablanca', 'Pacific/Apia', 'Australia/Lord_Howe']) {
      const zone = new Zone(name)
      const found = new Map<number, number[]>()
      const start = Date.UTC(2011, 11, 1)
      const end = Date.UTC(2012, 10, 30)
      for (let ms = start; ms < end; ms += 900_000) {
        const wall = zone.wallAt(ms)
        found.set(wall, [...(found.get(wall) ?? []), ms])
      }
      const day = 86_400_000
      for (let wall = start + day; wall < end - day; wall += 900_000) {
        const [expected, actual] = [found.get(wall) ?? [], zone.instantsAt(wall)]
        if (String(expected) !== String(actual))
          expect({ name, wall, actual }).toEqual({ name, wall, actual: expected })
      }
    }
  })
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
