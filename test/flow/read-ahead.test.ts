import { expect, test } from '@jest/globals'
import { readAhead } from '../../src/flow/read-ahead.ts'
import { counting, forever, nothing, turns, watched } from './left-behind.ts'

test.each([1, 2, 5])('readAhead reads exactly %d items ahead while its consumer works', async (items) => {
  const { seen, source } = counting({ length: 20 })
  let taken = 0
  for await (const _ of readAhead(source, { items })) {
    taken++
    await turns(20)
    expect(seen.pulled).toBe(Math.min(20, taken + items))
  }
  expect(taken).toBe(20)
})

test('readAhead reads nothing before its first item is requested', async () => {
  const { seen, source } = counting()
  const ahead = readAhead(source)
  await turns()
  expect(seen.pulled).toBe(0)
  await ahead.return(undefined)
})

test('readAhead requests one item of its source at a time', async () => {
  let running = 0
  let peak = 0
  let left = 10
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        peak = Math.max(peak, ++running)
        await turns(1)
        running--
        return left-- > 0 ? { done: false, value: left } : { done: true, value: undefined }
      },
    }),
  }
  expect(await Array.fromAsync(readAhead(source, { items: 4 }))).toHaveLength(10)
  expect(peak).toBe(1)
})

test('readAhead closes its source when the consumer leaves, after the read in flight', async () => {
  let inFlight = 0
  const { seen, source } = counting({
    before: async () => {
      inFlight++
      await turns(10)
      inFlight--
    },
  })
  for await (const _ of readAhead(source, { items: 2 })) {
    await turns(1)
    expect(inFlight).toBe(1)
    break
  }
  expect({ ...seen, inFlight }).toEqual({ pulled: 2, closed: true, inFlight: 0 })
})

test('readAhead throws the first error after the items before it', async () => {
  const { seen, source } = counting({ failAt: 3 })
  const got: number[] = []
  await expect(
    (async () => {
      for await (const n of readAhead(source, { items: 10 })) {
        got.push(n)
        await turns(20)
      }
    })(),
  ).rejects.toThrow('source failed at 3')
  expect(got).toEqual([0, 1, 2])
  expect(seen.closed).toBe(true)
})

test('an error after the consumer has left causes no unhandled rejection', async () => {
  const { seen, source } = counting({ failAt: 1 })
  for await (const _ of readAhead(source)) {
    await turns()
    break
  }
  expect(seen.closed).toBe(true)
})

/** Returns a list of promises whose closing fails. */
const unclosable = (...items: Promise<number>[]): Iterable<Promise<number>> => ({
  [Symbol.iterator]: () => ({
    next: () => ({ done: false, value: items.shift() ?? Promise.resolve(0) }),
    return: () => {
      throw new Error('closing failed')
    },
  }),
})

test('an error of closing the source is thrown when the consumer leaves, unless another one came first', async () => {
  const left = readAhead(unclosable())
  await left.next()
  await expect(left.return(undefined)).rejects.toThrow('closing failed')
  await expect(readAhead(unclosable(Promise.reject(new Error('reading failed')))).next()).rejects.toThrow(
    'reading failed',
  )
  const { controller, signal } = watched()
  const cancelled = readAhead(unclosable(new Promise(() => {})), { signal }).next()
  await turns()
  controller.abort('stop')
  await expect(cancelled).rejects.toBe('stop')
})

test('readAhead waits for the read in flight even if the source closes earlier', async () => {
  let inFlight = 0
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        inFlight++
        await turns(10)
        inFlight--
        return { done: false, value: 1 }
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    }),
  }
  for await (const _ of readAhead(source)) break
  expect(inFlight).toBe(0)
})

test("a cancelled readAhead rejects with the signal's reason and closes the source", async () => {
  const { controller, signal, leftBehind } = watched()
  const { seen, source } = counting({ before: () => forever(signal) })
  const reading = readAhead(source, { signal }).next()
  await turns()
  controller.abort('stop')
  await expect(reading).rejects.toBe('stop')
  expect(seen.closed).toBe(true)
  expect(leftBehind()).toEqual(nothing)
  await expect(readAhead([1], { signal }).next()).rejects.toBe('stop')
})

test('a cancelled readAhead does not wait for a source that ignores its signal', async () => {
  const { controller, signal, leftBehind } = watched()
  const { source } = counting({ before: () => new Promise(() => {}) })
  const reading = readAhead(source, { signal }).next()
  await turns()
  controller.abort('stop')
  await expect(reading).rejects.toBe('stop')
  expect(leftBehind()).toEqual(nothing)
})

test('a source that is a function gets a signal, which ends a slow read when the consumer leaves', async () => {
  const log: string[] = []
  async function* slow(signal: AbortSignal): AsyncGenerator<number> {
    yield 1
    await forever(signal).catch(() => log.push('aborted'))
  }
  for await (const _ of readAhead(slow)) {
    await turns()
    break
  }
  expect(log).toEqual(['aborted'])
})

test('readAhead leaves no listener or timer at its end', async () => {
  const { signal, leftBehind } = watched()
  expect(await Array.fromAsync(readAhead([1, Promise.resolve(2)], { signal }))).toEqual([1, 2])
  expect(leftBehind()).toEqual(nothing)
})

test('readAhead awaits the promises of a list, and closes the list when one rejects', async () => {
  let closed = false
  function* list(): Generator<Promise<number>> {
    try {
      yield Promise.resolve(1)
      yield Promise.reject(new Error('second'))
    } finally {
      closed = true
    }
  }
  const ahead = readAhead(list())
  expect(await ahead.next()).toEqual({ done: false, value: 1 })
  await expect(ahead.next()).rejects.toThrow('second')
  expect(closed).toBe(true)
})

test.each([0, 1.5, Infinity])('reading %p items ahead is refused', async (items) => {
  await expect(readAhead([1], { items }).next()).rejects.toThrow(RangeError)
})
