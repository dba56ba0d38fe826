import { describe, expect, test } from '@jest/globals'
import { calendarWindows } from '../../../src/run/backfill/calendar-windows.ts'

const hours = ({ lower, upper }: { lower: string; upper: string }): number =>
  (Date.parse(upper) - Date.parse(lower)) / 3_600_000
const clock = (zone: string, at: string): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(new Date(at))

describe('calendar windows', () => {
  test.each([
    { zone: 'America/New_York', odd: [23, 25] },
    { zone: 'Europe/Berlin', odd: [23, 25] },
    { zone: 'Australia/Lord_Howe', odd: [24.5, 23.5] },
  ])(
    'days in $zone tile each year over both changes of the clock, and each begins at midnight there',
    ({ zone, odd }) => {
      for (let year = 2007; year < 2030; year += 1) {
        const { from, to, windows } = calendarWindows({
          from: `${year}-01-01`,
          to: `${year + 1}-01-01`,
          window: '1d',
          zone,
        })
        expect(windows.length).toBe((Date.UTC(year + 1, 0) - Date.UTC(year, 0)) / 86_400_000)
        expect([windows[0]!.lower, windows.at(-1)!.upper]).toEqual([from, to])
        expect(windows.slice(1).every(({ lower }, place) => lower === windows[place]!.upper)).toBe(true)
        expect(windows.filter(({ lower }) => !clock(zone, lower).endsWith(' 00:00:00'))).toEqual([])
        // In the south the year begins in summer.
        expect(windows.map(hours).filter((length) => length !== 24)).toEqual(odd)
      }
    },
  )

  test('windows of any length in any zone leave no gap, and the last one ends at the end of the range', () => {
    const zones = [
      'UTC',
      'America/New_York',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
      'America/Havana',
      'Africa/Cairo',
      'Asia/Kathmandu',
      'Pacific/Apia',
    ]
    const random = seeded(7)
    for (let round = 0; round < 400; round += 1) {
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
      const start = Date.UTC(1999, 0, 1) + Math.floor(random() * 30 * 365 * 1_440) * 60_000
      const end = start + 1 + Math.floor(random() * 400 * 86_400) * 1_000
      const words = {
        from: new Date(start).toISOString(),
        to: new Date(end).toISOString(),
        window: `${pick([1, 2, 5])}${pick(['h', 'd', 'w', 'mo', 'y'])}`,
        zone: pick(zones),
      }
      const { windows } = calendarWindows(words)
      const bounds = [windows[0]!.lower, ...windows.map(({ upper }) => upper)].map((text) => Date.parse(text))
      expect([words, bounds[0], bounds.at(-1)]).toEqual([words, start, end])
      expect([
        words,
        windows.findIndex(
          ({ lower, upper }, place) => Date.parse(lower) !== bounds[place] || Date.parse(lower) >= Date.parse(upper),
        ),
      ]).toEqual([words, -1])
    }
  })

  test('months from the 31st end on the last day of a shorter month, and come back to the 31st', () => {
    const { windows } = calendarWindows({ from: '2024-01-31', to: '2024-06-15', window: '1mo' })
    expect(windows.map(({ lower }) => lower.slice(0, 10))).toEqual([
      '2024-01-31',
      '2024-02-29',
      '2024-03-31',
      '2024-04-30',
      '2024-05-31',
    ])
    expect(windows.at(-1)!.upper).toBe('2024-06-15T00:00:00Z')
    expect(
      calendarWindows({ from: '2024-02-29', to: '2029-01-01', window: '1y' }).windows.map(({ lower }) =>
        lower.slice(0, 10),
      ),
    ).toEqual(['2024-02-29', '2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29'])
  })

  test('hours are hours: a day of 23 has 23 of them', () => {
    expect(
      calendarWindows({ from: '2024-03-31', to: '2024-04-01', window: '1h', zone: 'Europe/Berlin' }).windows,
    ).toHaveLength(23)
    expect(
      calendarWindows({ from: '2024-10-27', to: '2024-10-28', window: '1h', zone: 'Europe/Berlin' }).windows,
    ).toHaveLength(25)
  })

  test('a midnight that the clock skips is the instant of the change; a day that a zone skips has no window', () => {
    expect(
      calendarWindows({ from: '2018-11-04', to: '2018-11-05', window: '1d', zone: 'America/Sao_Paulo' }),
    ).toMatchObject({ from: '2018-11-04T03:00:00Z', windows: [{ upper: '2018-11-05T02:00:00Z' }] })
    expect(
      calendarWindows({ from: '2011-12-29', to: '2012-01-01', window: '1d', zone: 'Pacific/Apia' }).windows.map(
        ({ lower }) => clock('Pacific/Apia', lower).slice(0, 10),
      ),
    ).toEqual(['2011-12-29', '2011-12-31'])
  })

  test('the same range is the same, however it is written', () => {
    const written = [
      ['2024-01-01', '2024-02-01'],
      ['2024-01-01T00:00', '2024-02-01 00:00:00'],
      ['2023-12-31T23:00:00Z', '2024-02-01T00:00:00+01:00'],
    ]
    const ranges = written.map(([from, to]) =>
      calendarWindows({ from: from!, to: to!, window: '1d', zone: 'Europe/Berlin' }),
    )
    expect(ranges[1]).toEqual(ranges[0])
    expect(ranges[2]).toEqual(ranges[0])
    expect(calendarWindows({ from: '2024-01-01', to: '2024-01-02', window: '1d', zone: 'utc' }).zone).toBe('UTC')
  })

  test('a range that begins within a second that the clock leaves out begins when it has jumped', () => {
    for (const time of ['02:00:00.500', '02:30:00.001', '02:59:59.999']) {
      expect(
        calendarWindows({ from: `2024-03-31T${time}`, to: '2024-04-01', window: '1d', zone: 'Europe/Berlin' }).from,
      ).toBe('2024-03-31T01:00:00Z')
    }
  })

  test.each([
    [{ from: '2024-01-02', to: '2024-01-02' }, 'is not before to'],
    [{ from: 'yesterday', to: '2024-01-02' }, "from: 'yesterday' is neither a day nor an instant"],
    [{ from: '2024-02-30', to: '2024-03-02' }, "from: '2024-02-30'"],
    [{ from: '2024-01-01', to: '2024-01-02', window: '0d' }, "'0d' is not a window"],
    [{ from: '2024-01-01', to: '2024-01-02', window: '1m' }, "'1m' is not a window"],
    [{ from: '2024-01-01', to: '2024-01-02', zone: 'Mars/Olympus' }, "'Mars/Olympus' is not a time zone"],
    [{ from: '1900-01-01', to: '2024-01-02', window: '1h' }, 'more than 100,000 windows'],
  ])('%j is refused by name', (words, message) => {
    expect(() => calendarWindows({ window: '1d', ...words })).toThrow(message)
  })
})

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
