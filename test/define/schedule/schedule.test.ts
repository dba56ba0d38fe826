import { describe, expect, test } from '@jest/globals'
import { Cron } from 'croner'
import { parseCron } from '../../../src/define/schedule/cron.ts'
import { scheduleOf, scheduleText } from '../../../src/define/schedule/schedule.ts'
import { fromData, pipeline, toData } from '../../../src/index.ts'

/** Passes a value that JavaScript may write and the compiler refuses. */
const any = (value: unknown): never => value as never
const scheduled = (schedule: unknown) => pipeline('p', { schedule: any(schedule), streams: {} })

describe('a wrong schedule is refused when it is defined, with the field that is wrong', () => {
  test.each<[string, unknown, string]>([
    ['too few fields', '* * * *', 'the schedule "* * * *" must have five fields'],
    ['seconds', '0 * * * * *', 'must have five fields'],
    ['a minute that does not exist', '60 * * * *', 'the minute "60" is not understood: write *, a number from 0 to 59'],
    ['an hour that does not exist', '0 24 * * *', 'the hour "24" is not understood'],
    ['a day that does not exist', '0 0 0 * *', 'the day of the month "0" is not understood'],
    [
      'a month by a wrong name',
      '0 0 1 JANUARY *',
      'the month "JANUARY" is not understood: write *, a number from 1 to 12 or a name as JAN, a range as JAN-FEB',
    ],
    ['a day of the week that does not exist', '0 0 * * 8', 'the day of the week "8" is not understood'],
    ['a range from its end', '0 9-5 * * *', 'the hour "9-5" is not understood'],
    ['a step of one number', '5/15 * * * *', 'the minute "5/15" is not understood'],
    ['a step of nothing', '*/0 * * * *', 'the minute "*/0" is not understood'],
    ['a step beyond the field', '*/61 * * * *', 'the minute "*/61" is not understood'],
    ['an empty part', '1,,2 * * * *', 'the minute "" is not understood'],
    ['what only some programs know', '0 0 L * *', 'the day of the month "L" is not understood'],
    ['a name that stands for all', '@daily', 'must have five fields'],
    ['a step that cron programs understand differently', '0 0 */2 * MON', "Write the step as a range, as in '1-31/2'"],
    ['a day that never comes', '0 0 30 2 *', 'never comes: no such month has such a day'],
    [
      'a zone that does not exist',
      { cron: '0 4 * * *', zone: 'Europe/Bern-lin' },
      `pipeline("p"): schedule.zone "Europe/Bern-lin" is no time zone: write its name, as in 'Europe/Berlin'`,
    ],
    ['an offset for a zone', { cron: '0 4 * * *', zone: '+02:00' }, 'schedule.zone "+02:00" is no time zone'],
    ['a jitter in words', { cron: '0 4 * * *', jitter: 'some' }, 'schedule.jitter: "some" is no duration'],
    [
      'a jitter as long as what is between ticks',
      { cron: '0,50 * * * *', jitter: '10m' },
      'schedule.jitter must be less than the 10m between two ticks, not 10m',
    ],
    [
      'a way to catch up that does not exist',
      { cron: '0 4 * * *', catchUp: 'some' },
      `schedule.catchUp is 'all', 'last' or 'none', not "some"`,
    ],
    [
      'an overlap that does not exist',
      { cron: '0 4 * * *', overlap: 'kill' },
      `schedule.overlap is 'skip', 'wait' or 'fail', not "kill"`,
    ],
    [
      'a word that does not exist',
      { cron: '0 4 * * *', timezone: 'UTC' },
      'schedule: there is no option "timezone". Did you mean "zone"? It has cron, zone, jitter',
    ],
    ['no pattern', { zone: 'UTC' }, "the schedule is text with five fields, as in '*/15 * * * *', or { cron, zone"],
    ['a number', 5, 'the schedule is text with five fields'],
  ])('%s', (_, schedule, message) => {
    expect(() => scheduled(schedule)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    )
  })
})

test('what a schedule leaves out is UTC, no jitter, the last of the missed ticks, and none beside another', () => {
  expect(scheduleOf(scheduled('*/15  * * * *'))).toEqual({
    cron: '*/15 * * * *',
    zone: 'UTC',
    jitterMs: 0,
    catchUp: 'last',
    overlap: 'skip',
  })
  const full = {
    cron: '0 4 * * MON-FRI',
    zone: 'Europe/Berlin',
    jitter: '90s',
    catchUp: 'all',
    overlap: 'wait',
  } as const
  expect(scheduleOf(scheduled(full))).toEqual({
    cron: full.cron,
    zone: full.zone,
    jitterMs: 90_000,
    catchUp: 'all',
    overlap: 'wait',
  })
  expect(scheduleText(scheduled(full))).toBe('0 4 * * MON-FRI Europe/Berlin +90s')
  expect(scheduleOf(pipeline('p', { streams: {} }))).toBeUndefined()
  expect(fromData(toData(scheduled(full))).schedule).toEqual(full)
  expect(Object.isFrozen(scheduled(full).schedule)).toBe(true)
})

test('whatever pattern we admit, the library that computes ticks reads as we do', () => {
  let seed = 7
  const below = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n
  const part = (least: number, most: number): string => {
    const from = least + below(most - least + 1)
    const to = from + below(most - from + 1)
    return [
      '*',
      `*/${1 + below(most - least)}`,
      String(from),
      `${from}-${to}`,
      from < to ? `${from}-${to}/${1 + below(3)}` : String(from),
      [from, to].join(','),
    ][below(6)]!
  }
  const names = ['SUN', 'Mon', 'tue', 'WED', 'thu', 'FRI', 'sat']
  let compared = 0
  while (compared < 60) {
    const pattern = [part(0, 59), part(0, 23), part(1, 31), part(1, 12), [part(0, 7), names[below(7)]!][below(2)]].join(
      ' ',
    )
    let fields
    try {
      fields = parseCron(pattern, 'test')
    } catch {
      continue
    }
    compared += 1
    const { minute, hour, day, month, weekday, any } = fields
    const cron = new Cron(pattern, { mode: '5-part', timezone: 'UTC', paused: true })
    const fits = (at: Date): boolean => {
      const isDay = day.includes(at.getUTCDate())
      const isWeekday = weekday.includes(at.getUTCDay())
      return (
        minute.includes(at.getUTCMinutes()) &&
        hour.includes(at.getUTCHours()) &&
        month.includes(at.getUTCMonth() + 1) &&
        (any.day || any.weekday ? isDay && isWeekday : isDay || isWeekday)
      )
    }
    for (let tries = 0; tries < 200; tries += 1) {
      const at = new Date(Date.UTC(2024, below(24), 1 + below(28), below(24), below(60)))
      expect({ pattern, at, fits: fits(at) }).toEqual({ pattern, at, fits: cron.match(at) })
    }
  }
})
