/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return -- What is answered is compared as it came. */
import { describe, expect, test } from '@jest/globals'
import { run } from '../../src/index.ts'
import { rig, until, watch, type Rig, type Watcher } from './support.ts'

const all = async ({ test: { database } }: Rig, where = 'true'): Promise<string[]> =>
  (
    await database.query<{ id: string }>(`select id::text from sluice.events where ${where} order by sluice.events.id`)
  ).map(({ id }) => id)
/** Events as a run would tell them, stored by hand. */
const tell = (served: Rig, count: number, bytes = 10): Promise<unknown> =>
  served.test.database.query(
    `select sluice.tell((select json_agg(json_build_object('run', null, 'at', clock_timestamp(), 'data', json_build_object('type', 'warning', 'message', repeat('x', $2)))) from generate_series(1, $1::int)))`,
    [count, bytes],
  )

describe('events', () => {
  test('of a run elsewhere come as they happen, each once, in order', async () => {
    await using served = await rig()
    using watcher = await watch(served.server)
    await run(served.pipeline, { database: served.test.url, environment: {} })
    await until(() => watcher.events.some(({ type }) => type === 'run.finished'))
    expect(watcher.ids).toEqual(await all(served))
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

  test('are neither lost nor doubled for one whose connection is cut again and again while runs go on', async () => {
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
      const wanted = last ? (await all(served)).at(-1)! : undefined
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
    expect(ids).toEqual(await all(served))
  })

  test('are filtered by run and by pipeline, from where one wants', async () => {
    await using served = await rig()
    for (let n = 0; n < 2; n++) await run(served.pipeline, { database: served.test.url, environment: {} })
    await tell(served, 1)
    const wanted = await all(served, 'run = 2')
    using second = await watch(served.server, '/api/events?after=0&run=2')
    using shop = await watch(served.server, '/api/events?after=0&pipeline=shop')
    using other = await watch(served.server, '/api/events?after=0&pipeline=other')
    await until(() => second.ids.length >= wanted.length && shop.ids.length > wanted.length)
    expect(second.ids).toEqual(wanted)
    expect(shop.ids).toEqual(await all(served, 'run is not null'))
    expect(other.ids).toEqual([])
  })

  test('that are no longer kept are said to be missing', async () => {
    await using served = await rig()
    await tell(served, 20)
    await served.test.database.query('delete from sluice.events where id < 15')
    using behind = await watch(served.server, '/api/events?after=3')
    await until(() => behind.ids.length === 6)
    using elsewhere = await watch(served.server, '/api/events?after=999')
    await until(() => elsewhere.gaps.length === 1)
    expect(behind.gaps).toEqual(['{"after":"3","oldest":"15"}'])
    await tell(served, 1)
    await until(() => elsewhere.ids.length === 1)
  })

  test('do not wait for a client that does not read: it is cut off, holds little meanwhile, and resumes', async () => {
    await using served = await rig({ clientTimeout: '1s' })
    using slow = await watch(served.server, '/api/events?after=0')
    using quick = await watch(served.server, '/api/events?after=0')
    slow.answer.pause()
    const before = process.memoryUsage.rss()
    // More than sockets on both sides hold.
    for (let n = 0; n < 16; n++) await tell(served, 100, 10_000)
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
    expect([...slow.ids, ...again.ids]).toEqual(await all(served))
  })

  test('come without notifications too, after the listening connection was lost', async () => {
    await using served = await rig()
    using watcher = await watch(served.server)
    const { database } = served.test
    await until(
      async () =>
        (
          await database.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'select pg_backend_pid() as pid'`,
          )
        ).length > 0,
    )
    await tell(served, 3)
    await until(() => watcher.ids.length === 3)
    expect(watcher.ids).toEqual(await all(served))
  })
})
