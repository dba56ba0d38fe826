// One list that several streams read at the same time: what one has requested is kept for the others.
import { expect, test } from '@jest/globals'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import { http } from '../../src/index.ts'
import type { Client, DecodedResponse } from '../../src/model/scope.ts'
import { openScope } from '../../src/read/open-scope.ts'
import { KeptResponse } from '../../src/source/kept-response.ts'
import { SharedList } from '../../src/source/shared-list.ts'
import { turns } from '../flow/left-behind.ts'
import { apiServer } from '../support/api-server.ts'

/** A list of pages of about `bytes`, its readers, and a budget for what they hold and for what is kept. */
async function readers(
  names: readonly string[],
  { bytes, first = bytes, limit }: { bytes: number; first?: number; limit: number },
) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(
    await apiServer(({ query }) => ({
      json: { page: query.get('page'), text: 'x'.repeat(query.get('page') === '1' ? first : bytes) },
    })),
  )
  const scope = stack.use(openScope())
  const budget = new MemoryBudget(limit)
  const list = new SharedList(names, budget.spare)
  const client = scope.client(http(server.origin).api)
  /** Pages that were requested, in order. */
  const requested: string[] = []
  const recorded: Client = {
    send: (request, options) => {
      requested.push(String(request.query['page']))
      return client.send(request, options)
    },
  }
  const opened = names.map((name) => {
    const account = stack.use(budget.account())
    const member = stack.use(list.join(name, recorded)!)
    const send = (page: number): Promise<DecodedResponse> =>
      member.send(
        { method: 'GET', url: '/x', query: { page: String(page) } },
        { memory: account, signal: scope.signal },
      )
    return {
      send,
      /** Reads a page and releases it. */
      read: async (page: number): Promise<unknown> => {
        const { body, hold } = await send(page)
        hold[Symbol.dispose]()
        return (body as { page: string }).page
      },
      leave: () => member[Symbol.dispose](),
    }
  })
  const kept = stack.move()
  return { readers: opened, budget, requested, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('a response that is nested too deeply to be copied is not kept, and holds no memory', async () => {
  const budget = new MemoryBudget(64 << 20)
  let body: unknown = 1
  for (let depth = 0; depth < 50_000; depth++) body = [body]
  const response = { status: 200, headers: {}, body, bytes: 100_000, url: 'http://localhost/x' }
  const reader = { [Symbol.dispose]: () => {} }
  const kept = new KeptResponse('x', Promise.resolve(response as DecodedResponse), [reader], budget.spare)
  expect(await kept.received).toBeUndefined()
  expect([kept.isHeld, budget.used]).toEqual([false, 0])
})

test('returns a response once, and never one that is older than the last one', async () => {
  await using server = await apiServer(({ index }) => ({ json: { index } }))
  const budget = new MemoryBudget(64 << 20)
  await using scope = openScope({ memory: budget.account() })
  const list = new SharedList(['a', 'b'], budget.spare)
  const client = scope.client(http(server.origin).api)
  using first = list.join('a', client)
  using second = list.join('b', client)
  expect(list.join('c', client)).toBeUndefined()
  const send = async (from: typeof first, page: string): Promise<unknown> => {
    const { memory, signal } = scope
    const response = await from!.send({ method: 'GET', url: '/x', query: { page } }, { memory, signal })
    response.hold[Symbol.dispose]()
    return (response.body as { index: number }).index
  }
  expect([await send(first, '1'), await send(first, '2'), await send(first, '3')]).toEqual([0, 1, 2])
  expect(await send(second, '2')).toBe(1)
  // Page 1 was requested before page 2, so the list may have moved in between.
  expect(await send(second, '1')).toBe(3)
  // Page 3 was requested before this one.
  expect(await send(second, '3')).toBe(4)
  expect([await send(first, '1'), await send(first, '1')]).toEqual([3, 5])
})

test('gives each of three readers a body of its own', async () => {
  await using server = await apiServer(() => ({ json: { list: [{ id: 1 }] } }))
  const budget = new MemoryBudget(64 << 20)
  await using scope = openScope({ memory: budget.account() })
  const list = new SharedList(['a', 'b', 'c'], budget.spare)
  const client = scope.client(http(server.origin).api)
  using members = new DisposableStack()
  const bodies: { list: { id: number }[] }[] = []
  for (const member of ['a', 'b', 'c'].map((name) => members.use(list.join(name, client)!))) {
    const { memory, signal } = scope
    const { body, hold } = await member.send({ method: 'GET', url: '/x', query: {} }, { memory, signal })
    hold[Symbol.dispose]()
    bodies.push(body as (typeof bodies)[number])
    bodies.at(-1)!.list[0]!.id++
  }
  expect(bodies).toEqual(Array.from({ length: 3 }, () => ({ list: [{ id: 2 }] })))
  expect(server.requests).toHaveLength(1)
})

test('is requested by each reader if its pages are large', async () => {
  await using server = await apiServer(() => ({ json: { text: 'x'.repeat(2 ** 20) } }))
  const budget = new MemoryBudget(64 << 20)
  await using scope = openScope({ memory: budget.account() })
  const list = new SharedList(['a', 'b'], budget.spare)
  const client = scope.client(http(server.origin).api)
  using first = list.join('a', client)
  using second = list.join('b', client)
  for (const member of [first, second]) {
    const { memory, signal } = scope
    const { hold } = await member!.send({ method: 'GET', url: '/x', query: {} }, { memory, signal })
    hold[Symbol.dispose]()
  }
  expect(server.requests).toHaveLength(2)
})

test('what is kept counts in the memory once, and goes with the last reader that takes it', async () => {
  await using open = await readers(['a', 'b', 'c'], { bytes: 1_000, limit: 100_000 })
  const { budget, requested } = open
  const [first, second, third] = open.readers
  await first!.read(1)
  const page = budget.used
  expect(page).toBeGreaterThan(1_000)
  const copy = await second!.send(1)
  expect(budget.used).toBe(2 * page)
  const last = await third!.send(1)
  expect(budget.used).toBe(2 * page)
  copy.hold[Symbol.dispose]()
  expect(budget.used).toBe(page)
  last.hold[Symbol.dispose]()
  expect({ used: budget.used, requested }).toEqual({ used: 0, requested: ['1'] })
})

test('a reader that is ahead waits while a quarter of the memory is kept for one that is behind', async () => {
  await using open = await readers(['a', 'b'], { bytes: 1_000, limit: 10_000 })
  const { budget, requested } = open
  const [fast, slow] = open.readers
  for (const page of [1, 2]) await fast!.read(page)
  const third = fast!.read(3)
  await turns(50)
  expect(requested).toEqual(['1', '2'])
  expect(budget.used).toBeLessThanOrEqual(budget.limit / 4)
  expect(await slow!.read(1)).toBe('1')
  expect(await third).toBe('3')
  for (const page of [2, 3]) expect(await slow!.read(page)).toBe(`${page}`)
  expect({ used: budget.used, requested }).toEqual({ used: 0, requested: ['1', '2', '3'] })
})

test('a reader that is ahead goes on where the responses under way turn out to be small', async () => {
  await using open = await readers(['a', 'b'], { bytes: 10, first: 700, limit: 10_000 })
  const [fast] = open.readers
  await fast!.read(1)
  expect(await Promise.all([2, 3, 4].map((page) => fast!.read(page)))).toEqual(['2', '3', '4'])
})

test('the oldest page is taken without a wait, though all memory is used', async () => {
  await using open = await readers(['a', 'b'], { bytes: 1_000, limit: 10_000 })
  const { budget } = open
  const [fast, slow] = open.readers
  for (const page of [1, 2]) await fast!.read(page)
  using other = budget.account()
  await other.reserve(budget.limit - budget.used, {})
  const { hold } = await slow!.send(1)
  expect(budget.used).toBe(budget.limit)
  hold[Symbol.dispose]()
  expect(await slow!.read(2)).toBe('2')
  expect(open.requested).toEqual(['1', '2'])
})

test('what is kept is given up where a reader needs the memory, and requested again by the one behind', async () => {
  await using open = await readers(['a', 'b'], { bytes: 1_000, limit: 10_000 })
  const { budget, requested } = open
  const [fast, slow] = open.readers
  for (const page of [1, 2]) await fast!.read(page)
  const waiting = fast!.read(3)
  using other = budget.account()
  const hold = await other.reserve(budget.limit, {})
  expect(budget.used).toBe(budget.limit)
  hold[Symbol.dispose]()
  // The one that is ahead waits for nobody any more.
  expect(await waiting).toBe('3')
  for (const page of [1, 2, 3]) expect(await slow!.read(page)).toBe(`${page}`)
  expect({ used: budget.used, requested }).toEqual({ used: 0, requested: ['1', '2', '3', '1', '2', '3'] })
})

test('nothing stays kept when a reader leaves, reads another range, or takes a later page', async () => {
  await using open = await readers(['a', 'b'], { bytes: 100, limit: 10_000 })
  const { budget, requested } = open
  const [fast, slow] = open.readers
  for (const page of [1, 2, 3]) await fast!.read(page)
  expect(await slow!.read(3)).toBe('3')
  expect(budget.used).toBe(0)
  for (const page of [4, 5]) await fast!.read(page)
  for (const page of [11, 12, 13]) await slow!.read(page)
  slow!.leave()
  fast!.leave()
  expect(budget.used).toBe(0)
  expect(requested).toEqual(['1', '2', '3', '4', '5', '11', '12', '13'])
})

/** Returns pseudo-random numbers, the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761
  return (sides) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
    return ((state ^ (state >>> 13)) >>> 0) % sides
  }
}

/** Readers of one list at different speeds, with children of its pages, beside one that needs all memory at times. */
async function race(seed: number): Promise<{ kept: number; used: number; waiting: number; read: readonly number[] }> {
  const roll = dice(seed)
  const pages = 12
  const largest = 1 + roll(40)
  const budget = new MemoryBudget(20 + roll(200))
  const sizes = Array.from({ length: pages }, () => 1 + roll(largest))
  const names = Array.from({ length: 2 + roll(3) }, (_, at) => `reader ${at}`)
  const list = new SharedList(names, budget.spare)
  const { signal } = new AbortController()
  let requests = 0
  const client: Client = {
    send: async ({ query }, { memory }) => {
      requests++
      const bytes = sizes[Number(query['page'])]!
      const hold = await memory.reserve(bytes, { signal })
      await turns(roll(4))
      return { status: 200, headers: {}, url: '', body: [], bytes, hold }
    },
  }
  const speeds = names.map(() => 1 + roll(12))
  const members = names.map((name) => list.join(name, client)!)
  const over = new AbortController()
  const pressure = async (): Promise<void> => {
    using account = budget.account()
    while (!over.signal.aborted) {
      const hold = await account.reserve(1 + roll(budget.limit), {})
      await turns(roll(3))
      hold[Symbol.dispose]()
      await turns(roll(10))
    }
  }
  const readAll = async (member: (typeof members)[number], speed: number): Promise<number> => {
    using account = budget.account()
    using _member = member
    let read = 0
    for (let page = 0; page < pages; page += 1) {
      const request = { method: 'GET', url: '/x', query: { page: String(page) } } as const
      const { hold } = await member.send(request, { memory: account, signal })
      read++
      await turns(roll(speed))
      const child = await account.child(() => true).reserve(roll(largest), {})
      await turns(roll(speed))
      child[Symbol.dispose]()
      hold[Symbol.dispose]()
    }
    return read
  }
  const pressing = roll(2) === 0 ? pressure() : undefined
  const read = await Promise.all(members.map((member, at) => readAll(member, speeds[at]!)))
  over.abort()
  await pressing
  return { kept: pages * names.length - requests, used: budget.used, waiting: budget.waiting, read }
}

test('readers at any speed, with any memory, all come to the end, and nothing stays held', async () => {
  let kept = 0
  for (let seed = 1; seed <= 200; seed += 1) {
    const { kept: ofRace, read, ...left } = await race(seed)
    kept += ofRace
    expect({ seed, ...left, read }).toEqual({ seed, used: 0, waiting: 0, read: read.map(() => 12) })
  }
  // Otherwise each reader would have requested everything.
  expect(kept).toBeGreaterThan(1_000)
})
