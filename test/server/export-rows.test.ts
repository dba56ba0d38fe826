import { describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { request as ask, type IncomingMessage } from 'node:http'
import { rig, until, type Rig } from './support.ts'

const path = '/api/streams/shop/rows/records'
const fill = (served: Rig, rows: number): Promise<unknown> =>
  served.test.database.query(
    `create schema t;
     create table t.rows as select n as id, repeat('x', 200) as name from generate_series(1, ${rows}) as n`,
  )
/** Counts the sessions of exports. */
const open = async ({ test: { database } }: Rig): Promise<number> =>
  (
    await database.query(
      `select from pg_stat_activity
        where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`,
    )
  ).length

async function start(served: Rig): Promise<{ answer: IncomingMessage; leave: () => void }> {
  const request = ask(served.server.url + path, { agent: false }).end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.on('error', () => {})
  return { answer, leave: () => void request.destroy() }
}

describe('export of a table', () => {
  test('each row is one line with every digit', async () => {
    await using served = await rig()
    await served.test.database
      .query(`create schema t; create table t.rows (id bigint, price numeric, at timestamptz, more jsonb, raw json);
      insert into t.rows values
        (9007199254740993, 0.10000000000000000000001, '2024-01-01T00:00:00.123456Z',
         '{"n": 12345678901234567890}', E'{\\n  "a": 1.10\\r\\n}'),
        (1, null, null, '"line\\nbreak"', null)`)
    const { status, text, headers } = await served.get(path)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8'])
    expect(text.split('\n')).toEqual([
      '{"id":9007199254740993,"price":0.10000000000000000000001,"at":"2024-01-01T00:00:00.123456+00:00",' +
        '"more":{"n": 12345678901234567890},"raw":{   "a": 1.10  }}',
      '{"id":1,"price":null,"at":null,"more":"line\\nbreak","raw":null}',
      '',
    ])
  })

  test('all rows of a large table are exported', async () => {
    await using served = await rig()
    await fill(served, 20_000)
    const lines = (await served.get(path)).text.trimEnd().split('\n')
    expect(new Set(lines.map((line) => (JSON.parse(line) as { id: number }).id)).size).toBe(20_000)
    await served.test.database.query('truncate t.rows')
    expect(await served.get(path)).toMatchObject({ status: 200, text: '' })
  })

  test('the query waits for a slow client and ends when the client leaves', async () => {
    await using served = await rig()
    await fill(served, 200_000)
    const { answer, leave } = await start(served)
    await once(answer, 'readable')
    expect(await open(served)).toBe(1)
    await until(
      async () =>
        (
          await served.test.database.query(
            `select from pg_stat_activity
              where datname = current_database() and state = 'idle in transaction' and query like '%fetch_lines%'`,
          )
        ).length === 1,
      'it waits for its reader',
    )
    leave()
    const left = performance.now()
    await until(async () => (await open(served)) === 0)
    expect(performance.now() - left).toBeLessThan(1_000)
  })

  test('an export ends while the database still looks for the first row', async () => {
    await using served = await rig()
    await served.test.database.query('create schema t; create view t.rows as select pg_sleep(60)::text as id')
    const request = ask(served.server.url + path, { agent: false }).end()
    request.on('error', () => {})
    await until(async () => (await open(served)) === 1)
    request.destroy()
    await until(async () => (await open(served)) === 0)
    expect(served.failures).toEqual([])
  })

  test('an export ends when a run has to change the table', async () => {
    await using served = await rig()
    await fill(served, 200_000)
    const { answer } = await start(served)
    await once(answer, 'readable')
    await served.test.database.query('alter table t.rows add column more text')
    await until(async () => (await open(served)) === 0)
    await until(() => (answer.resume(), answer.destroyed))
    expect(answer.complete).toBe(false)
  })

  test('the limit of exports is kept', async () => {
    await using served = await rig()
    await fill(served, 100_000)
    const started = await Promise.all([1, 2, 3, 4].map(() => start(served)))
    expect((await served.get(path)).status).toBe(503)
    for (const { leave } of started) leave()
    await until(async () => (await served.get(path)).status === 200)
  })
})
