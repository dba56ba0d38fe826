import { describe, expect, test } from '@jest/globals'
import { testDatabase } from '../../support/database.ts'
import { Day, startedAt, times } from './day.ts'

describe('a day of a schedule', () => {
  test('has each tick once and at its time, none beside another, and runs that fail stop nothing', async () => {
    await using database = await testDatabase()
    const day = new Day(database, '2026-05-04T00:00:00Z')
    day.pipeline('half', '*/30 * * * *', 7, { fails: (at) => at.getUTCHours() === 3 })
    day.pipeline('slow', '*/20 * * * *', 45)
    const [events] = await day.until('2026-05-04T23:59:00Z')
    expect(await day.ticks('half')).toEqual(
      times(30, 30, 1_410).map((time) => `${time} ${time.startsWith('03') ? 'failed' : 'done'}`),
    )
    expect(day.reads.filter(({ pipeline }) => pipeline === 'half').map(({ at }) => at.slice(11, 16))).toEqual(
      times(30, 30, 1_410),
    )
    // Each takes 45 minutes, so that the two after it find it running.
    expect((await day.ticks('slow')).slice(0, 6)).toEqual([
      '00:20 done',
      '00:40 skipped',
      '01:00 skipped',
      '01:20 done',
      '01:40 skipped',
      '02:00 skipped',
    ])
    expect(day.mostAtOnce).toBe(1)
    expect(events!.filter(({ type }) => type === 'tick.finished' || type === 'tick.skipped').length).toBeGreaterThan(
      100,
    )
    expect(events!.find((event) => event.type === 'tick.finished' && event.status === 'failed')).toMatchObject({
      pipeline: 'half',
      error: expect.stringContaining('the API is down'),
      run: expect.any(String),
    })
    expect(events!.at(-1)).toEqual({ type: 'scheduler.stopped', reason: 'the day is over' })
  }, 240_000)

  test('forgets old ticks each day, however long the scheduler runs', async () => {
    await using database = await testDatabase()
    // One that came up beside the first tick, long after the scheduler began.
    await database.database.query(`create function public.old() returns trigger language plpgsql as $$ begin
      insert into sluice.ticks (pipeline, tick, status, finished_at)
      values (new.pipeline, '2020-01-01', 'done', '2020-01-01'); return new; end $$`)
    await database.database.query(
      `create trigger old after insert on sluice.ticks for each row
       when (new.tick = '2026-05-04T12:00:00Z') execute function public.old()`,
    )
    const day = new Day(database, '2026-05-04T00:00:00Z')
    day.pipeline('daily', '0 12 * * *', 5)
    await day.until('2026-05-06T13:00:00Z')
    expect(await day.ticks('daily')).toEqual(['12:00 done', '12:00 done', '12:00 done'])
  }, 240_000)

  test('loses no tick with catch-up all, though the scheduler was down twice: each is run, in order', async () => {
    await using database = await testDatabase()
    const day = new Day(database, '2026-05-04T00:00:00Z')
    day.pipeline('hourly', { cron: '0 * * * *', catchUp: 'all' }, 25)
    await day.until('2026-05-04T04:10:00Z')
    // 04:00 was under way.
    expect(await day.ticks('hourly')).toEqual(['01:00 done', '02:00 done', '03:00 done', '04:00 interrupted'])
    await day.sleepUntil('2026-05-04T09:30:00Z')
    const [events] = await day.until('2026-05-04T15:10:00Z')
    expect(startedAt(events!, true)).toEqual(times(60, 240, 780))
    expect(startedAt(events!, false)).toEqual(times(60, 840, 900))
    await day.sleepUntil('2026-05-04T18:30:00Z')
    await day.until('2026-05-04T23:59:00Z')
    expect(await day.ticks('hourly')).toEqual(times(60, 60, 1_380).map((time) => `${time} done`))
    expect(day.mostAtOnce).toBe(1)
  }, 240_000)

  test('runs one tick with catch-up last, and none with none, of those that were missed', async () => {
    await using database = await testDatabase()
    const day = new Day(database, '2026-05-04T00:00:00Z')
    day.pipeline('last', '0 * * * *', 5)
    day.pipeline('none', { cron: '0 * * * *', catchUp: 'none' }, 5)
    await day.until('2026-05-04T02:30:00Z')
    await day.sleepUntil('2026-05-04T07:30:00Z')
    const [events] = await day.until('2026-05-04T09:30:00Z')
    expect(await day.ticks('last')).toEqual([
      '01:00 done',
      '02:00 done',
      '06:00 missed',
      '07:00 done',
      '08:00 done',
      '09:00 done',
    ])
    expect(await day.ticks('none')).toEqual(['01:00 done', '02:00 done', '07:00 missed', '08:00 done', '09:00 done'])
    expect(events!.filter(({ type }) => type === 'ticks.missed')).toEqual(
      expect.arrayContaining([
        {
          type: 'ticks.missed',
          pipeline: 'last',
          count: 4,
          first: '2026-05-04T03:00:00.000Z',
          last: '2026-05-04T06:00:00.000Z',
        },
        {
          type: 'ticks.missed',
          pipeline: 'none',
          count: 5,
          first: '2026-05-04T03:00:00.000Z',
          last: '2026-05-04T07:00:00.000Z',
        },
      ]),
    )
  }, 240_000)

  test('what comes while the pipeline still runs waits with overlap wait, and fails with overlap fail', async () => {
    await using database = await testDatabase()
    const day = new Day(database, '2026-05-04T00:00:00Z')
    day.pipeline('waits', { cron: '0 0-1 * * *', overlap: 'wait', catchUp: 'none' }, 90)
    day.pipeline('fails', { cron: '0 0-1 * * *', overlap: 'fail' }, 90)
    day.pipeline('all', { cron: '*/30 0-1 * * *', overlap: 'wait', catchUp: 'all' }, 50)
    await day.sleepUntil('2026-05-04T23:59:00Z')
    await day.until('2026-05-05T08:00:00Z')
    expect(await day.ticks('waits')).toEqual(['00:00 done', '01:00 done'])
    expect(await day.ticks('fails')).toEqual(['00:00 done', '01:00 failed'])
    expect(await day.ticks('all')).toEqual(['00:00 done', '00:30 done', '01:00 done', '01:30 done'])
    expect(day.reads.filter(({ pipeline }) => pipeline === 'all').map(({ at }) => at.slice(11, 16))).toEqual([
      '00:00',
      '00:50',
      '01:40',
      '02:30',
    ])
    expect(day.mostAtOnce).toBe(1)
  }, 240_000)

  test('on the days when clocks change ticks come as the clocks of the zone say', async () => {
    await using database = await testDatabase()
    const spring = new Day(database, '2026-03-28T12:00:00Z')
    spring.pipeline('berlin', { cron: '30 2 * * *', zone: 'Europe/Berlin' }, 1)
    await spring.until('2026-03-30T12:00:00Z')
    expect(spring.reads.map(({ at }) => at)).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'])
    const autumn = new Day(database, '2026-10-31T12:00:00Z')
    autumn.pipeline('newyork', { cron: '30 1 * * *', zone: 'America/New_York' }, 1)
    autumn.pipeline('follows', { cron: '*/30 1 * * *', zone: 'America/New_York' }, 1)
    await autumn.until('2026-11-01T12:00:00Z')
    expect(autumn.reads.filter(({ pipeline }) => pipeline === 'newyork').map(({ at }) => at)).toEqual([
      '2026-11-01T05:30:00.000Z',
    ])
    expect(autumn.reads.filter(({ pipeline }) => pipeline === 'follows').map(({ at }) => at.slice(11, 16))).toEqual([
      '05:00',
      '05:30',
      '06:00',
      '06:30',
    ])
  }, 240_000)
})

describe('several schedulers on one database', () => {
  test('run each tick once', async () => {
    await using database = await testDatabase()
    const day = new Day(database, '2026-05-04T00:00:00Z')
    day.pipeline('shared', '*/30 * * * *', 2)
    const events = await day.until('2026-05-04T06:00:00Z', {}, 2)
    expect(day.reads.map(({ at }) => at.slice(11, 16))).toEqual(times(30, 30, 330))
    expect(await day.ticks('shared')).toEqual(times(30, 30, 330).map((time) => `${time} done`))
    expect(events.flatMap((one) => startedAt(one)).toSorted()).toEqual(times(30, 30, 330))
  }, 240_000)

  test('take over what one of them had begun when it was killed', async () => {
    await using database = await testDatabase()
    const day = new Day(database, '2026-05-04T04:00:30Z')
    day.pipeline('hourly', '0 * * * *', 2)
    const { database: db } = database
    // A run whose process is gone, and one that had ended well before its scheduler could say so.
    await db.query(`insert into sluice.schedules values ('hourly', '2026-05-04T00:00:00Z')`)
    await db.query(
      `insert into sluice.runs (kind, pipeline, lease_pid, lease_started) values ('sync', 'hourly', 1, now())`,
    )
    await db.query(
      `insert into sluice.runs (kind, pipeline, status, finished_at) values ('sync', 'hourly', 'done', now())`,
    )
    await db.query(
      `insert into sluice.ticks (pipeline, tick, status, run, finished_at)
       values ('hourly', '2026-05-04T02:00:00Z', 'interrupted', null, now()),
              ('hourly', '2026-05-04T04:00:00Z', 'running', 1, null)`,
    )
    await day.until('2026-05-04T04:30:00Z', { catchUp: 'all' })
    expect(await day.ticks('hourly')).toEqual(['02:00 done', '04:00 done'])
    await db.query(
      `insert into sluice.ticks (pipeline, tick, status, run) values ('hourly', '2026-05-04T05:00:00Z', 'running', 2)`,
    )
    await day.sleepUntil('2026-05-04T05:00:30Z')
    await day.until('2026-05-04T05:30:00Z', { catchUp: 'all' })
    expect(await day.ticks('hourly')).toEqual(['02:00 done', '04:00 done', '05:00 done'])
    expect(day.reads).toHaveLength(2)
  }, 240_000)

  test('the ledger refuses two running ticks of one pipeline', async () => {
    await using database = await testDatabase()
    const { database: db } = database
    await db.query(`insert into sluice.schedules values ('p', now())`)
    await db.query(`insert into sluice.ticks (pipeline, tick, status) values ('p', '2026-05-04T05:00:00Z', 'running')`)
    await expect(
      db.query(`insert into sluice.ticks (pipeline, tick, status) values ('p', '2026-05-04T06:00:00Z', 'running')`),
    ).rejects.toThrow('one_tick_at_once')
  })
})
