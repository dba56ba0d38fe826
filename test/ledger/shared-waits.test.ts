import { describe, expect, jest, test } from '@jest/globals'
import { clearWait } from '../../src/ledger/clear-wait.ts'
import { readWaits } from '../../src/ledger/read/read-waits.ts'
import { realTime } from '../../src/http/limits/time.ts'
import { RateLimitedError } from '../../src/model/errors.ts'
import { testDatabase } from '../support/database.ts'
import { waitOf } from '../../src/run/status/waits.ts'
import { asked, openProcess, origin, type Process } from './budget-process.ts'
import { failure, until } from './support.ts'

jest.setTimeout(30_000)

/** Waits until a process knows that it has to wait for long. */
const isClosed = async (one: Process, paths?: readonly string[]): Promise<void> =>
  until(async () => failure(one.take(1, paths)).then((error) => error instanceof RateLimitedError))

describe('Retry-After that one process was answered', () => {
  test.each([
    ['is heard by another at once', false],
    ['is heard by one that asks for a lease, though nothing notifies it', true],
  ])('%s', async (_, deaf) => {
    await using test = await testDatabase()
    await using first = await openProcess(test, '20/s', { deaf })
    await using second = await openProcess(test, '20/s', { deaf })
    await Promise.all([first.take(), second.take()])
    first.budget.observe(429, { 'retry-after': '2' }, asked)
    await until(
      async () => (await test.database.query('select 1 from sluice.rates where blocked_until is not null')).length > 0,
    )
    const began = performance.now()
    // Some of what it holds it may send before it hears.
    await second.take(12)
    expect(second.waits).toContain('retry-after long')
    expect(performance.now() - began).toBeGreaterThan(1_000)
  })

  test('is known to a client that starts later, which sends no request before its end', async () => {
    await using test = await testDatabase()
    {
      await using first = await openProcess(test)
      await first.take()
      first.budget.observe(429, { 'retry-after': '3600', 'x-ratelimit-limit': '10' }, asked)
    }
    await using second = await openProcess(test)
    await expect(second.take()).rejects.toThrow(
      /^https:\/\/api\.example admits no request until \d{4}-\S+ \(GET \/orders answered 429 with retry-after: 3600\)/,
    )
    await expect(second.take(1, ['/customers'])).rejects.toThrow('https://api.example admits no request')
  })

  test('for a long time closes its path in all processes, and no other path', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test)
    await using second = await openProcess(test)
    await Promise.all([first.take(), second.take()])
    first.budget.observe(429, { 'retry-after': '3600' }, asked)
    await until(async () => (await test.database.query('select from sluice.path_waits')).length > 0)
    await using third = await openProcess(test)
    for (const one of [first, second, third]) {
      await one.take(3, ['/customers'])
      await until(async () => failure(one.take()).then((error) => error instanceof RateLimitedError))
      expect(one.waits).toEqual([])
    }
  })

  test('does not get shorter by a later response, and a longer one replaces it', async () => {
    await using test = await testDatabase()
    await using it = await openProcess(test)
    await it.take()
    const ends = async (): Promise<number[]> =>
      (
        await test.database.query<{ s: number }>(
          'select round(extract(epoch from until - clock_timestamp()) / 600)::int as s from sluice.path_waits',
        )
      ).map(({ s }) => s)
    await using deaf = await openProcess(test, undefined, { deaf: true })
    await deaf.take()
    it.budget.observe(429, { 'retry-after': '6000' }, asked)
    await until(async () => (await ends()).length > 0)
    deaf.budget.observe(429, { 'retry-after': '3000' }, asked)
    await deaf.budget[Symbol.asyncDispose]()
    expect(await ends()).toEqual([10])
    it.budget.observe(429, { 'retry-after': '9000' }, asked)
    await until(async () => (await ends())[0] !== 10)
    expect(await ends()).toEqual([15])
  })
})

test('a wait of the API is learned, without a notification, by one who takes none of its requests', async () => {
  await using test = await testDatabase()
  let laterMs = 0
  const time = { ...realTime, clock: () => realTime.clock() + laterMs }
  await using first = await openProcess(test)
  await using deaf = await openProcess(test, undefined, { deaf: true, time })
  const { signal } = new AbortController()
  const ask = (): Promise<void> => deaf.budget.acquire(0, { signal, paths: [''] })
  await Promise.all([first.take(), ask()])
  first.budget.observe(429, { 'retry-after': '3600', 'x-ratelimit-limit': '10' }, asked)
  await until(async () => (await readWaits(test.database)).length > 0)
  await ask()
  laterMs = 16_000
  await until(async () => failure(ask()).then((error) => error instanceof RateLimitedError))
  expect(await failure(ask())).toBeInstanceOf(RateLimitedError)
})

describe('a wait that one budget was asked for holds for those of the same API with another rate', () => {
  const whole = { 'retry-after': '3600', 'x-ratelimit-limit': '10' }
  const path = { 'retry-after': '3600' }

  test('as a whole, and not for those of other secrets', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test, '20/s')
    await using second = await openProcess(test, '30/s')
    await using stranger = await openProcess(test, '20/s', { credentials: ['OTHER'] })
    await Promise.all([first, second, stranger].map((one) => one.take()))
    first.budget.observe(429, whole, asked)
    await isClosed(second)
    await using third = await openProcess(test)
    await expect(third.take(1, ['/customers'])).rejects.toThrow('answered 429 with retry-after: 3600')
    await stranger.take(3)
    // It is one wait, which is lifted for all of them.
    const waits = await readWaits(test.database)
    expect(waits).toHaveLength(1)
    for (const wait of waits) await clearWait(test.database, wait)
    for (const one of [second, third])
      await until(async () =>
        one.take().then(
          () => true,
          () => false,
        ),
      )
  })

  test('for a path, and not for what remains of a count', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test, '20/s')
    await using second = await openProcess(test, '30/s')
    await using endpoint = await openProcess(test, '20/m', { endpoint: 'POST /orders' })
    await Promise.all([first, second, endpoint].map((one) => one.take()))
    first.budget.observe(429, path, asked)
    for (const one of [second, endpoint]) await isClosed(one)
    first.budget.observe(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' }, asked)
    await isClosed(first, ['/customers'])
    await until(async () => (await readWaits(test.database)).length === 2)
    await using third = await openProcess(test, '40/s')
    for (const one of [second, third]) await one.take(3, ['/customers'])
    expect([...second.waits, ...third.waits]).toEqual([])
  })

  test('for an endpoint with limits of its own, whose other methods are open', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test, '20/m', { endpoint: 'GET /orders' })
    await using same = await openProcess(test, '30/m', { endpoint: 'GET /orders' })
    await using other = await openProcess(test, '20/m', { endpoint: 'POST /orders' })
    await using all = await openProcess(test, '100/s')
    await Promise.all([first, same, other, all].map((one) => one.take()))
    first.budget.observe(429, whole, asked)
    await isClosed(same)
    await isClosed(all, ['/orders', 'GET /orders'])
    await expect(all.take(1, ['GET /orders'])).rejects.toThrow(
      /^GET https:\/\/api\.example\/orders admits no request until/,
    )
    await all.take(1, ['/orders', 'POST /orders'])
    await other.take()
    expect((await readWaits(test.database)).map(waitOf)).toMatchObject([{ api: origin, path: 'GET /orders' }])
  })
})

describe('a wait that is lifted', () => {
  test('for a path lets all processes send to it again', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test)
    await using second = await openProcess(test)
    await Promise.all([first.take(), second.take()])
    first.budget.observe(429, { 'retry-after': '3600' }, asked)
    for (const one of [first, second])
      await until(async () => failure(one.take()).then((error) => error instanceof RateLimitedError))
    const waits = await readWaits(test.database)
    expect(waits).toMatchObject([{ api: origin, path: '/orders' }])
    for (const wait of waits) await clearWait(test.database, wait)
    expect(await readWaits(test.database)).toEqual([])
    for (const one of [first, second])
      await until(async () =>
        one.take().then(
          () => true,
          () => false,
        ),
      )
  })

  test('for the whole API ends the waiting of requests that have begun to wait', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test)
    await first.take()
    first.budget.observe(429, { 'retry-after': '200' }, asked)
    await until(async () => (await readWaits(test.database)).length > 0)
    await using second = await openProcess(test)
    const taken = Promise.all([first, second].map((one) => one.take(1, ['/customers'])))
    await until(async () => first.waits.length + second.waits.length === 2)
    const began = performance.now()
    for (const wait of await readWaits(test.database)) await clearWait(test.database, wait)
    await taken
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  test('for a number of requests lets more be sent', async () => {
    await using test = await testDatabase()
    await using first = await openProcess(test)
    await first.take()
    first.budget.observe(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' }, asked)
    await until(async () => (await readWaits(test.database)).length > 0)
    expect(await failure(first.take())).toBeInstanceOf(RateLimitedError)
    for (const wait of await readWaits(test.database)) await clearWait(test.database, wait)
    await until(async () =>
      first.take().then(
        () => true,
        () => false,
      ),
    )
  })
})
