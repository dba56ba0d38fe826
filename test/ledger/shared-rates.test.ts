import { describe, expect, jest, test } from '@jest/globals'
import { sleep } from '../../src/flow/signals/sleep.ts'
import { sharedRates } from '../../src/ledger/shared-rates.ts'
import { testDatabase } from '../support/database.ts'
import { virtualTime } from '../support/virtual-time.ts'
import { asked, openProcess, origin } from './budget-process.ts'
import { failure, until } from './support.ts'

jest.setTimeout(30_000)

const { signal } = new AbortController()

describe('a rate', () => {
  test('is never exceeded by all processes together in any period, also if some of them are killed', async () => {
    await using test = await testDatabase()
    await using all = new AsyncDisposableStack()
    const rate = 40
    const sent: number[] = []
    const one = async (seed: number): Promise<void> => {
      const it = all.use(await openProcess(test, `${rate}/s`))
      let random = seed
      const next = (): number => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647
      while (sent.length < 100) {
        await it.take()
        sent.push(performance.now())
        // Some ask in haste, some now and then; what the latter hold is over before they need it.
        if (next() < seed / 40) await sleep(next() * 400)
        // This one is killed: it neither uses nor gives back what it holds.
        if (seed === 3 && sent.length > 45) return
      }
    }
    await Promise.all([1, 2, 3, 4, 9].map(one))
    const within = (from: number): number => sent.filter((at) => at >= from && at < from + 1_000).length
    expect(Math.max(...sent.map(within))).toBeLessThanOrEqual(rate)
    // It is used, too: half of it at the very least.
    expect(Math.max(...sent.map(within))).toBeGreaterThan(rate / 2)
  })

  test('several limits and a bucket are never exceeded by two processes, by the count of the server', async () => {
    await using test = await testDatabase()
    const rates = [
      { requests: 8, per: '200ms' },
      { requests: 30, per: '1s' },
      { burst: 20, requests: 4, per: '100ms' },
    ] as const
    const sent: number[] = []
    const one = async (pauses: number): Promise<void> => {
      await using it = await openProcess(test, rates)
      while (sent.length < 120) {
        await it.take()
        sent.push(performance.now())
        if (pauses > 0 && sent.length % 11 === 0) await sleep(pauses)
      }
    }
    await Promise.all([one(0), one(90)])
    const most = (ms: number): number =>
      Math.max(...sent.map((at) => sent.filter((o) => o >= at && o < at + ms).length))
    expect(most(200)).toBeLessThanOrEqual(8)
    expect(most(1_000)).toBeLessThanOrEqual(30)
    let [tokens, last, least] = [20, sent[0] ?? 0, 20]
    for (const at of sent.toSorted((a, b) => a - b)) {
      tokens = Math.min(20, tokens + (at - last) / 25) - 1
      last = at
      least = Math.min(least, tokens)
    }
    expect(least).toBeGreaterThanOrEqual(0)
    // They are used, too.
    expect(most(1_000)).toBeGreaterThan(15)
  })

  test('a bucket is empty for all processes, a killed one included, and gains what it gains', async () => {
    await using test = await testDatabase()
    const bucket = { burst: 5, requests: 1, per: '300ms' } as const
    const sent: number[] = []
    const killed = await openProcess(test, bucket)
    await using other = await openProcess(test, bucket)
    for (const it of [killed, killed, other, other, other, other, other]) {
      await it.take()
      sent.push(performance.now())
    }
    const [first = 0] = sent
    // Five at once, then one each 300 ms. What the killed one held and did not send counts until its lease is over.
    expect((sent[4] ?? 0) - first).toBeGreaterThan(0)
    expect((sent[6] ?? 0) - first).toBeGreaterThanOrEqual(600)
    await killed[Symbol.asyncDispose]()
    expect(await test.database.query('select rate from sluice.rates')).toEqual([{ rate: 'a bucket of 5, 1 in 300ms' }])
  })

  test('costs one query for several requests', async () => {
    await using test = await testDatabase()
    await using it = await openProcess(test, '100/s')
    await it.take(100)
    expect(it.queries()).toBeLessThan(20)
  })

  test('is shared by clients with the same origin, secrets and rate, and by no others', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test, '1/h')
    await using other = await openProcess(test, '1/h', { credentials: ['OTHER'] })
    await using faster = await openProcess(test, '2/h')
    await using same = await openProcess(test, '1/h')
    await Promise.all([first.take(), other.take(), faster.take()])
    const stop = new AbortController()
    const waits: unknown[] = []
    const waiting = failure(same.budget.acquire(1, { signal: stop.signal, onWait: (...wait) => waits.push(wait) }))
    await until(async () => waits.length > 0)
    stop.abort('stopped')
    expect(await waiting).toBe('stopped')
    // Somebody may give some back: it asks again long before the hour is over.
    expect(waits).toEqual([['rate limit', 30_000]])
  })

  test('what a process has not used is given back when it ends', async () => {
    await using test = await testDatabase()
    {
      await using first = await openProcess(test, '8/h')
      // 1, then 2 of which 1 is left.
      await first.take(2)
    }
    await using second = await openProcess(test, '8/h')
    await second.take(6)
    expect(second.waits).toEqual([])
    expect(await test.database.query('select sum(requests)::int as requests from sluice.rate_grants')).toEqual([
      { requests: 8 },
    ])
  })

  test('what a process has held too long is not sent any more, since it counts for nothing from then on', async () => {
    await using test = await testDatabase()
    const time = virtualTime()
    await using it = await openProcess(test, '100/h', { time })
    await it.take(2)
    const before = it.grants()
    time.pass(29_000)
    await it.take()
    expect(it.grants()).toBe(before)
    await it.take(4)
    time.pass(31_000)
    const held = it.grants()
    await it.take()
    expect(it.grants()).toBe(held + 1)
  })

  test('what a killed process held comes back by itself', async () => {
    await using test = await testDatabase()
    const shared = sharedRates(test.database, { keeper: { subscribe: () => ({ [Symbol.dispose]: () => {} }) } })({
      origin,
      credentials: [],
      rate: '3/s',
    })
    const limit = { requests: 3, periodMs: 200 }
    expect(await shared.grant({ limits: [limit], wanted: 5, least: 1, validMs: 100, signal })).toMatchObject({
      requests: 3,
    })
    const { requests, waitMs } = await shared.grant({ limits: [limit], wanted: 1, least: 1, validMs: 100, signal })
    expect(requests).toBe(0)
    expect(waitMs).toBeGreaterThan(0)
    expect(waitMs).toBeLessThanOrEqual(300)
    await sleep(Math.ceil(waitMs) + 1)
    expect(await shared.grant({ limits: [limit], wanted: 1, least: 1, validMs: 100, signal })).toMatchObject({
      requests: 1,
    })
  })
})

describe('an API without a rate', () => {
  test('costs a query when it is asked for the first time, and nothing for each request', async () => {
    await using test = await testDatabase()
    await using it = await openProcess(test)
    await it.take()
    const first = it.queries()
    for (let request = 0; request < 200; request += 1) {
      await it.take()
      it.budget.observe(200, { 'x-ratelimit-remaining': String(5_000 - request), 'x-ratelimit-reset': '3600' }, asked)
    }
    expect(first).toBe(2)
    expect(it.queries()).toBe(first)
  })

  test('has what few requests are left counted for all, and not once more than it said', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test)
    await using second = await openProcess(test)
    await second.take()
    await first.take()
    first.budget.observe(200, { 'x-ratelimit-remaining': '6', 'x-ratelimit-reset': '3' }, asked)
    await until(
      async () => (await test.database.query('select 1 from sluice.rates where remaining is not null')).length > 0,
    )
    // A few that leave before they hear of it do no harm to an API; this is about those that know.
    second.budget.observe(200, { 'x-ratelimit-remaining': '6', 'x-ratelimit-reset': '3' }, asked)
    const began = performance.now()
    await Promise.all([first.take(4), second.take(4)])
    expect([...first.waits, ...second.waits]).toContain('rate limit long')
    expect(performance.now() - began).toBeGreaterThan(1_000)
  })
})

describe('the database', () => {
  test('may lose connections: nothing is sent that was not counted, and nothing fails', async () => {
    await using test = await testDatabase()
    await using it = await openProcess(test, '50/s')
    await it.take(3)
    await test.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await it.take(20)
    expect(it.warnings).toEqual([])
  })

  test('that does not take what an API said is a warning, once', async () => {
    await using test = await testDatabase()
    await using it = await openProcess(test)
    await it.take()
    await test.database.query('alter function sluice.report_limits rename to gone')
    it.budget.observe(429, { 'retry-after': '0.05' }, asked)
    await until(async () => it.warnings.length > 0)
    it.budget.observe(429, { 'retry-after': '0.2' }, asked)
    await it.take()
    expect(it.warnings).toEqual([
      expect.stringMatching(
        /^the limits that https:\/\/api\.example states could not be reported to other processes: function sluice\.\w+/,
      ),
    ])
  })
})
