/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return
   -- Answers are compared as they came. */
import { describe, expect, test } from '@jest/globals'
import { run } from '../../src/index.ts'
import { rig, until, watch, type Rig, type Watcher } from './support.ts'

/** Ids of the stored events, oldest first. */
const storedIds = async ({ test: { database } }: Rig, where = 'true'): Promise<string[]> =>
  (
    await database.query<{ id: string }>(`select id::text from sluice.events where ${where} order by sluice.events.id`)
  ).map(({ id }) => id)
/** Stores `count` warnings, as a run would. */
const storeEvents = (served: Rig, count: number, bytes = 10): Promise<unknown> =>
  served.test.database.query(
    `select sluice.write_events((
       select json_agg(json_build_object('run', null, 'at', clock_timestamp(),
                         'data', json_build_object('type', 'warning', 'message', repeat('x', $2))))
         from generate_series(1, $1::int)))`,
    [count, bytes],
  )

describe('GET /api/events', () => {
  test('events of a run in another process arrive once each, in order', async () => {
    await using served = await rig()
    using watcher = await watch(served.server)
    await run(served.pipeline, { database: served.test.url, environment: {} })
    const stored = await storedIds(served)
    await until(() => watcher.ids.length >= stored.length)
    expect(watcher.ids).toEqual(stored)
    expect(watcher.events[0]).toMatchObject({
      id: '1',
      run: '1',
      pipeline: 'shop',
      type: 'run.started',
      streams: ['rows'],
      at: expect.any(String),
    })
    expect(
      watcher.events
        .filter(({ type }) => type === 'batch.committed')
        .reduce((sum, { counts }) => sum + counts.inserted, 0),
    ).toBe(30)
    expect(watcher.answer.headers['content-type']).toContain('text/event-stream')
  })

  test('a client that reconnects during runs misses no event and gets none twice', async () => {
    await using served = await rig()
    let going = true
    const running = (async () => {
      for (let n = 0; n < 6; n++)
        await run(served.pipeline, { database: served.test.url, environment: {}, batch: { rows: 3 } })
      going = false
    })()
    const ids: string[] = []
    let place = '0'
    let cuts = 0
    for (let last = false; !last;) {
      last = !going
      using watcher: Watcher = await watch(served.server, '/api/events?after=0', { 'last-event-id': place })
      const wanted = last ? (await storedIds(served)).at(-1)! : undefined
      await until(
        () => watcher.ids.length >= 4 || !going || (wanted !== undefined && watcher.place === wanted),
        'some came',
      )
      if (last) await until(() => watcher.place === wanted, 'the last one came')
      ids.push(...watcher.ids)
      // Nothing may have come before it was cut.
      place = watcher.place || place
      cuts += 1
    }
    await running
    expect(cuts).toBeGreaterThan(3)
    expect(ids).toEqual(await storedIds(served))
  })

  test('a client that is cut off before its first event resumes from where it began', async () => {
    await using served = await rig()
    const connected = performance.now()
    let place = ''
    {
      using watcher = await watch(served.server)
      await until(() => watcher.place !== '', 'the position was sent')
      // At once, not with the first heartbeat after 15 s.
      expect(performance.now() - connected).toBeLessThan(10_000)
      place = watcher.place
      expect(watcher.ids).toEqual([])
    }
    await storeEvents(served, 3)
    using again = await watch(served.server, '/api/events', { 'last-event-id': place })
    await until(() => again.ids.length >= 3)
    expect(again.ids).toEqual(['1', '2', '3'])
  })

  test('a client receives only the events of its run or pipeline, from any position', async () => {
    await using served = await rig()
    for (let n = 0; n < 2; n++) await run(served.pipeline, { database: served.test.url, environment: {} })
    await storeEvents(served, 1)
    const wanted = await storedIds(served, 'run = 2')
    using second = await watch(served.server, '/api/events?after=0&run=2')
    using shop = await watch(served.server, '/api/events?after=0&pipeline=shop')
    using other = await watch(served.server, '/api/events?after=0&pipeline=other')
    await until(() => second.ids.length >= wanted.length && shop.ids.length > wanted.length)
    expect(second.ids).toEqual(wanted)
    expect(shop.ids).toEqual(await storedIds(served, 'run is not null'))
    expect(other.ids).toEqual([])
  })

  test('a client that resumes from before the oldest stored event receives a gap event', async () => {
    await using served = await rig()
    await storeEvents(served, 20)
    await served.test.database.query('delete from sluice.events where id < 15')
    using behind = await watch(served.server, '/api/events?after=3')
    await until(() => behind.ids.length === 6)
    using elsewhere = await watch(served.server, '/api/events?after=999')
    await until(() => elsewhere.gaps.length === 1)
    expect(behind.gaps).toEqual(['{"after":"3","oldest":"15"}'])
    await storeEvents(served, 1)
    await until(() => elsewhere.ids.length === 1)
  })

  test('a client that does not read is disconnected, costs little memory and resumes without loss', async () => {
    await using served = await rig({ clientTimeout: '1s' })
    using slow = await watch(served.server, '/api/events?after=0')
    using quick = await watch(served.server, '/api/events?after=0')
    slow.answer.pause()
    const before = process.memoryUsage.rss()
    // More than sockets on both sides hold.
    for (let n = 0; n < 16; n++) await storeEvents(served, 100, 10_000)
    await until(() => quick.ids.length === 1_600)
    // What the two clients of this test hold is in this process as well.
    expect(process.memoryUsage.rss() - before).toBeLessThan(250e6)
    await until(
      async () => (await served.get('/metrics')).text.includes('sluice_server_answers{kind="events"} 1\n'),
      'it was cut off',
    )
    slow.answer.resume()
    await until(() => slow.isOver)
    expect(slow.ids.length).toBeLessThan(1_600)
    using again = await watch(served.server, '/api/events', { 'last-event-id': slow.place })
    await until(() => slow.ids.length + again.ids.length >= 1_600)
    expect([...slow.ids, ...again.ids]).toEqual(await storedIds(served))
  })

  test('events arrive after the connection that listens for notifications was terminated', async () => {
    await using served = await rig()
    using watcher = await watch(served.server)
    const { database } = served.test
    await until(
      async () =>
        (
          await database.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and query like 'select pg_backend_pid() as pid'`,
          )
        ).length > 0,
    )
    await storeEvents(served, 3)
    await until(() => watcher.ids.length === 3)
    expect(watcher.ids).toEqual(await storedIds(served))
  })
})
