import { describe, expect, test } from '@jest/globals'
import { rateBudget } from '../../../src/http/limits/rate-budget.ts'
import { realTime } from '../../../src/http/limits/time.ts'
import { RateLimitedError } from '../../../src/model/errors.ts'
import { canonicalLimits, limitsKey, limitsText, parseLimits } from '../../../src/model/rate.ts'
import type { RateLimits } from '../../../src/model/request.ts'
import { virtualTime } from '../../support/virtual-time.ts'

const { signal } = new AbortController()
const now = (): Date => new Date('2024-05-01T12:00:00Z')
const origin = { path: '/orders', request: 'GET /orders', stream: 'orders' }
const open = (rate?: RateLimits) => {
  const time = virtualTime()
  return { time, budget: rateBudget(rate, { now, time, origin: 'https://api.example' }) }
}

/** Returns how many requests a server's own bucket would refuse. */
function refusedByBucket(arrivals: readonly number[], { burst, perMs }: { burst: number; perMs: number }): number {
  let tokens = burst
  let last = arrivals[0] ?? 0
  let refused = 0
  for (const at of arrivals) {
    tokens = Math.min(burst, tokens + (at - last) / perMs)
    last = at
    if (tokens < 1) refused += 1
    else tokens -= 1
  }
  return refused
}

describe('a rate', () => {
  test('admits exactly its number of requests in any period', async () => {
    const { time, budget } = open('10/s')
    const sent: number[] = []
    for (let request = 0; request < 35; request += 1) {
      await budget.acquire(1, { signal })
      sent.push(time.clock())
      time.pass(7)
    }
    for (const at of sent)
      expect(sent.filter((other) => other >= at && other < at + 1_000).length).toBeLessThanOrEqual(10)
    expect(sent.at(-1)).toBeLessThan(3_100)
  })

  test.each([
    ['0.5/s', 2_000],
    ['2.5/s', 400],
    ['0.1/m', 600_000],
  ] as const)('%s, a fraction, admits one request in %i ms', async (rate, periodMs) => {
    const { time, budget } = open(rate)
    for (let request = 0; request < 3; request += 1) await budget.acquire(1, { signal })
    expect(time.slept).toEqual([periodMs, periodMs])
  })

  test('serves waiting requests in their order', async () => {
    const { budget } = open('1/s')
    const served: number[] = []
    await Promise.all(
      [0, 1, 2, 3].map(async (caller) => {
        await budget.acquire(1, { signal })
        served.push(caller)
      }),
    )
    expect(served).toEqual([0, 1, 2, 3])
  })

  test('may demand a wait of any length', async () => {
    const { time, budget } = open('1/h')
    await budget.acquire(1, { signal })
    await budget.acquire(1, { signal })
    expect(time.slept).toEqual([3_600_000])
  })

  test('reports each wait before it starts', async () => {
    const { budget } = open('1/s')
    const waits: unknown[] = []
    const onWait = (reason: string, ms: number): unknown => waits.push([reason, ms])
    await budget.acquire(1, { signal, onWait })
    await budget.acquire(1, { signal, onWait })
    expect(waits).toEqual([['rate limit', 1_000]])
  })

  test('is not waited for after the signal has aborted', async () => {
    const budget = rateBudget('1/h', { now, time: realTime, origin: 'api' })
    await budget.acquire(1, { signal })
    const stop = new AbortController()
    const waiting = [budget.acquire(1, { signal: stop.signal }), budget.acquire(1, { signal: stop.signal })]
    stop.abort('stopped')
    expect(await Promise.allSettled(waiting)).toEqual([
      { status: 'rejected', reason: 'stopped' },
      { status: 'rejected', reason: 'stopped' },
    ])
  })
})

describe('several limits at once', () => {
  test('all hold, whichever is the strictest at the time', async () => {
    const { time, budget } = open(['4/s', { requests: 10, per: 'minute' }])
    const sent: number[] = []
    for (let request = 0; request < 22; request += 1) {
      await budget.acquire(1, { signal })
      sent.push(time.clock())
    }
    const most = (ms: number): number =>
      Math.max(...sent.map((at) => sent.filter((other) => other >= at && other < at + ms).length))
    expect([most(1_000), most(60_000)]).toEqual([4, 10])
    expect(sent.at(-1)).toBeLessThan(122_000)
  })

  test('a bucket admits a burst, and then one request whenever it gains one', async () => {
    const { time, budget } = open({ burst: 3, requests: 1, per: 'minute' })
    const sent: number[] = []
    const take = async (): Promise<void> => {
      await budget.acquire(1, { signal })
      sent.push(time.clock())
    }
    for (let request = 0; request < 5; request += 1) await take()
    // What is not used is saved, up to the burst.
    time.pass(600_000)
    for (let request = 0; request < 4; request += 1) await take()
    expect(refusedByBucket(sent, { burst: 3, perMs: 60_000 })).toBe(0)
    expect(sent.map((at) => Math.floor(at / 60_000))).toEqual([0, 0, 0, 1, 2, 12, 12, 12, 13])
  })

  test.each<[unknown, RegExp]>([
    ['10/d', /is not a rate/],
    [[], /the list of rates is empty/],
    [['10/s', 5], /5 is not a rate/],
    [{ requests: 0, per: 'second' }, /requests must be a whole number from 1, not 0/],
    [{ requests: 1, per: 'week' }, /per is 'second', 'minute', 'hour', 'day', or a duration/],
    [{ requests: 1, per: '0s' }, /per is 'second'/],
    [{ requests: 1, per: 'second', burst: 1.5 }, /burst must be a whole number from 1/],
    [{ requests: 1, per: 'second', most: 2 }, /a rate has requests, per and burst, and no most/],
  ])('%j is refused', (rate, message) => {
    expect(() => parseLimits(rate as RateLimits)).toThrow(message)
  })

  test('are one line for people', () => {
    expect(limitsText('600/m')).toBe('600/m')
    expect(limitsText(['75/s', { burst: 20, requests: 1, per: 'minute' }])).toBe('75 in 1s; a bucket of 20, 1 in 1m')
  })

  test.each<[string, RateLimits[]]>([
    ['60/m', ['60/m', '60.0/m', { requests: 60, per: 'minute' }, { requests: 60, per: '60s' }, ['60/m', '60/m']]],
    ['1/s', ['1/s', { requests: 1, per: '1000ms' }]],
    ['1 in 2s', ['0.5/s', '0.50/s', { requests: 1, per: '2s' }]],
    ['2 in 4s', [{ requests: 2, per: '4s' }]],
    [
      '10 in 1s; a bucket of 20, 1 in 1s',
      [
        ['10/s', { burst: 20, requests: 60, per: 'minute' }],
        [
          { burst: 20, requests: 1, per: 'second' },
          { requests: 10, per: '1s' },
        ],
      ],
    ],
    ['a bucket of 5, 1 in 1500ms', [{ burst: 5, requests: 40, per: 'minute' }]],
  ])('have one name for the ledger if they mean the same: %s', (name, all) => {
    for (const limits of all) expect(limitsKey(limits)).toBe(name)
    expect(new Set(all.map((limits) => JSON.stringify(canonicalLimits(limits)))).size).toBe(1)
  })
})

describe('a limit that an API states', () => {
  test('stops all requests when none remains, until its reset', async () => {
    const { time, budget } = open()
    budget.observe(200, { 'x-ratelimit-remaining': '2', 'x-ratelimit-reset': '30' }, origin)
    await budget.acquire(1, { signal })
    await budget.acquire(1, { signal })
    expect(time.slept).toEqual([])
    await budget.acquire(1, { signal })
    await budget.acquire(1, { signal })
    expect(time.slept).toEqual([30_000])
  })

  test('is not raised by a response that arrives late', async () => {
    const { time, budget } = open()
    budget.observe(200, { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }, origin)
    budget.observe(200, { 'ratelimit-remaining': '3', 'ratelimit-reset': '30' }, origin)
    await budget.acquire(1, { signal })
    expect(time.slept).toEqual([30_000])
  })

  test('stops all requests after Retry-After of one response', async () => {
    const { time, budget } = open('10/s')
    const waits: unknown[] = []
    budget.observe(429, { 'retry-after': '20' }, origin)
    await budget.acquire(1, { signal, onWait: (reason, ms) => waits.push([reason, ms]) })
    expect(waits).toEqual([['retry-after', 20_000]])
    expect(time.slept).toEqual([20_000])
  })

  test('of more than 5 minutes throws an error that names its end', async () => {
    const { budget } = open()
    budget.observe(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' }, origin)
    const error: unknown = await budget.acquire(1, { signal }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RateLimitedError)
    expect((error as RateLimitedError).until).toEqual(new Date('2024-05-01T13:00:00Z'))
    expect((error as RateLimitedError).message).toContain('2024-05-01T13:00:00.000Z')
  })

  test('is ignored if a redirect sends Retry-After', async () => {
    const { time, budget } = open()
    budget.observe(301, { 'retry-after': '20' }, origin)
    await budget.acquire(1, { signal })
    expect(time.slept).toEqual([])
  })

  test('of a short time holds for all paths', async () => {
    const { time, budget } = open()
    budget.observe(503, { 'retry-after': '300' }, origin)
    await budget.acquire(1, { signal, paths: ['/customers'] })
    expect(time.slept).toEqual([300_000])
  })

  test('of a long time holds for its path, and the error names both', async () => {
    const { time, budget } = open()
    budget.observe(429, { 'retry-after': '3600' }, origin)
    await budget.acquire(1, { signal, paths: ['/customers'] })
    expect(time.slept).toEqual([])
    await expect(budget.acquire(1, { signal, paths: ['/customers', '/orders'] })).rejects.toThrow(
      'https://api.example/orders admits no request until 2024-05-01T13:00:00.000Z ' +
        '(GET /orders answered 429 with retry-after: 3600). A run waits 5 minutes at most. Run again then',
    )
  })

  test.each(['x-ratelimit-limit', 'ratelimit-policy', 'RateLimit', 'x-rate-limit-limit'])(
    'of a long time holds for the whole API if the response has the header %s',
    async (name) => {
      const { budget } = open()
      budget.observe(429, { 'retry-after': '3600', [name.toLowerCase()]: '100' }, origin)
      await expect(budget.acquire(1, { signal, paths: ['/customers'] })).rejects.toThrow(
        'https://api.example admits no request until 2024-05-01T13:00:00.000Z',
      )
    },
  )

  test.each([
    ['api', '3600', ['/customers', '/orders']],
    ['path', '20', ['/orders']],
  ] as const)('reaches as far as a rule says: %s', async (reach, seconds, waiting) => {
    for (const path of ['/customers', '/orders']) {
      const { time, budget } = open()
      budget.observe(429, { 'retry-after': seconds }, { ...origin, reach })
      const isRefused = await budget.acquire(1, { signal, paths: [path] }).then(
        () => time.slept.length > 0,
        () => true,
      )
      expect({ path, isRefused }).toEqual({ path, isRefused: (waiting as readonly string[]).includes(path) })
    }
  })

  test('of one path does not delay requests for other paths while its last minutes are waited for', async () => {
    const { time, budget } = open('10/s')
    budget.observe(429, { 'retry-after': '400' }, origin)
    time.pass(150_000)
    const sleeping = Promise.withResolvers<void>()
    const realSleep = time.sleep
    Object.assign(time, { sleep: () => sleeping.promise })
    const done: string[] = []
    const waiting = budget.acquire(1, { signal, paths: ['/orders'] }).then(() => done.push('/orders'))
    await budget.acquire(1, { signal, paths: ['/customers'] }).then(() => done.push('/customers'))
    Object.assign(time, { sleep: realSleep })
    time.pass(300_000)
    sleeping.resolve()
    await waiting
    expect(done).toEqual(['/customers', '/orders'])
  })

  test('of a thousand years is cut to what a date can hold', async () => {
    const { budget } = open()
    budget.observe(429, { 'retry-after': '31536000000000' }, origin)
    await expect(budget.acquire(1, { signal, paths: ['/orders'] })).rejects.toThrow(RateLimitedError)
  })
})
