import { describe, expect, test } from '@jest/globals'
import { time } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { load, table } from './support.ts'

const zoned = (zone: string, type = 'timestamptz') => table({ columns: { at: { type, zone } } })

describe('times without an offset, in a column with a zone', () => {
  test('are read on the clock of the zone, and all others as they are', async () => {
    await using test = await testDatabase()
    const { database } = test
    const times = [
      ['2024-01-31 10:00:00', '2024-01-31T09:00:00Z'],
      ['2024-07-31T10:00:00', '2024-07-31T08:00:00Z'],
      ['2024-07-31T10:00', '2024-07-31T08:00:00Z'],
      ['2024-01-01 00:30:00.123456', '2023-12-31T23:30:00.123456Z'],
      ['2024-01-31 10:00:00,5', '2024-01-31T09:00:00.5Z'],
      ['2024-03-31 01:59:59', '2024-03-31T00:59:59Z'],
      ['2024-03-31 03:00:00', '2024-03-31T01:00:00Z'],
      ['2024-10-27 01:59:59', '2024-10-26T23:59:59Z'],
      ['2024-10-27 03:00:00', '2024-10-27T02:00:00Z'],
      ['2024-01-31T10:00:00Z', '2024-01-31T10:00:00Z'],
      ['2024-10-27T02:30:00+01:00', '2024-10-27T01:30:00Z'],
      ['9999-12-31 23:59:59', '9999-12-31T22:59:59Z'],
    ] as const
    const { counts } = await load(
      database,
      zoned('Europe/Berlin'),
      times.map(([at], id) => ({ id, at })),
    )
    expect(counts).toMatchObject({ inserted: times.length, rejected: 0 })
    const same = await database.query<{ id: string }>(
      'select id from shop.orders join unnest($1::bigint[], $2::timestamptz[]) s (i, t) on i = id and t = at',
      [times.map((_, id) => id), times.map(([, instant]) => instant)],
    )
    expect(same).toHaveLength(times.length)
    const again = await load(
      database,
      zoned('Europe/Berlin'),
      times.map(([at], id) => ({ id, at })),
    )
    expect(again.counts).toMatchObject({ unchanged: times.length })
  })

  test('are rejected if the clock skips them or shows them twice', async () => {
    await using test = await testDatabase()
    const { counts, rejects } = await load(test.database, zoned('Europe/Berlin', 'timestamptz(3)'), [
      { id: 1, at: '2024-03-31 02:30:00' },
      { id: 2, at: '2024-10-27 02:00:00' },
      { id: 3, at: '2024-10-27T02:59:59.999' },
      { id: 4, at: '2024-02-30 10:00:00' },
      { id: 5, at: '2024-01-31' },
      { id: 6, at: '2024-01-31 24:00:00' },
      { id: 7, at: '2024-01-31 10:00:00.1234' },
      { id: 8, at: '2024-01-31 10:00:00.123' },
    ])
    expect(counts).toMatchObject({ inserted: 1, rejected: 7 })
    const noTime = 'does not fit timestamptz(3): it needs a day and a time that exist'
    for (const [index, reason] of [
      'at: "2024-03-31 02:30:00" does not exist in Europe/Berlin: the clock is put forward over it',
      'at: "2024-10-27 02:00:00" comes twice in Europe/Berlin: the clock is put back over it',
      'at: "2024-10-27T02:59:59.999" comes twice in Europe/Berlin: the clock is put back over it',
      `at: "2024-02-30 10:00:00" ${noTime}`,
      `at: "2024-01-31" ${noTime}`,
      `at: "2024-01-31 24:00:00" ${noTime}`,
      'at: "2024-01-31T09:00:00.1234Z" does not fit timestamptz(3) without being rounded',
    ].entries())
      expect(rejects[index]?.reason).toContain(reason.replace('timestamptz(3)', 'timestamp(3) with time zone'))
  })

  test('are instants of which PostgreSQL has the same opinion', async () => {
    await using test = await testDatabase()
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']) {
      const name = `shop.z_${zone.replaceAll('/', '_').toLowerCase()}`
      const records = Array.from({ length: 3_000 }, (_, id) => ({
        id,
        at: new Date(Date.UTC(2023, 0, 1, 0, 17) + id * 5.9 * 3_600_000).toISOString().slice(0, 19),
      }))
      const { counts } = await load(test.database, { ...zoned(zone), name, maxRejects: 100 }, records, {
        pageSize: 500,
      })
      expect(counts.rejected).toBeLessThan(10)
      const [row] = await test.database.query(
        `select count(*)::int as wrong from ${name} join unnest($1::bigint[], $2::text[]) s (i, t) on i = id
         where at <> t::timestamp at time zone $3`,
        [records.map(({ id }) => id), records.map(({ at }) => at), zone],
      )
      expect(row).toEqual({ wrong: 0 })
    }
  })
})

describe('times of another form than ISO 8601, in a column with time()', () => {
  test('are stored exactly, compared as versions, and bad ones rejected with the reason', async () => {
    await using test = await testDatabase()
    const definition = table({
      versionBy: 'changed',
      columns: {
        changed: time('rfc 2822'),
        created: time('unix'),
        day: time('YYYYMMDD', { emptyText: 'null' }),
      },
    })
    // As text, Friday would come before Thursday.
    const { counts, rejects } = await load(test.database, definition, [
      { id: 1, changed: 'Fri, 24 May 2019 17:44:46 +0000', created: 1_700_000_000, day: '20240229' },
      { id: 1, changed: 'Thu, 23 May 2019 17:44:46 +0000', created: 0, day: '20240229' },
      { id: 2, changed: 'Thu, 23 May 2019 17:44:46 +0200', created: '1512085950.000216', day: '' },
      { id: 3, changed: 'Thu, 23 May 2019 17:44:46 +0000', created: 1_700_000_000_000, day: null },
      { id: 4, changed: 'Thu, 23 May 2019 17:44:46 +0000', created: '1512085950.0002161', day: null },
    ])
    expect(counts).toMatchObject({ inserted: 2, rejected: 2, duplicate: 1 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(
        /^created: "1700000000000" is no time of the form "unix": its year .*Correct it in a stage/,
      ),
      expect.stringContaining("columns: { created: time('unix', { round: true }) }"),
    ])
    expect(
      await test.database.query(
        `select id, created = '2017-11-30T23:52:30.000216Z' as exact, day::text, changed from shop.orders order by id`,
      ),
    ).toEqual([
      { id: '1', exact: false, day: '2024-02-29', changed: new Date('2019-05-24T17:44:46Z') },
      { id: '2', exact: true, day: null, changed: new Date('2019-05-23T15:44:46Z') },
    ])
  })
})
