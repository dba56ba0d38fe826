/** @jest-environment ./test/support/jest/isolated-environment.ts */
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { batches } from '../../src/flow/batches.ts'
import { Channel } from '../../src/flow/channel.ts'
import { counting, forever, nothing, turns, watched } from './left-behind.ts'

/** Items are numbers; each counts itself in bytes and one row. */
const measure = (n: number): { rows: number; bytes: number } => ({ rows: 1, bytes: n })

/** Gathers the items of a channel for one second at a time, on a fake clock. */
const start = () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] })
  const channel = new Channel<number>(10)
  const got: number[][] = []
  const gathering = (async () => {
    for await (const batch of batches(channel, { everyMs: 1_000, measure })) got.push(batch)
  })()
  return { channel, got, gathering }
}

describe('a batch is due', () => {
  test('when its rows are reached', async () => {
    const { source } = counting({ length: 7 })
    expect(await Array.fromAsync(batches(source, { rows: 3, measure }))).toEqual([[0, 1, 2], [3, 4, 5], [6]])
  })

  test('when its bytes are reached; an item is never divided', async () => {
    expect(await Array.fromAsync(batches([4, 6, 1, 30, 9, 1], { bytes: 10, measure }))).toEqual([
      [4, 6],
      [1, 30],
      [9, 1],
    ])
  })

  test('when it contains an item for which isLast returns true', async () => {
    expect(await Array.fromAsync(batches([1, 2, 3, 4], { measure, isLast: (n) => n === 2 }))).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('at the end of the source', async () => {
    expect(await Array.fromAsync(batches([1, 2, 3], { measure }))).toEqual([[1, 2, 3]])
  })

  test('never while it is empty', async () => {
    expect(await Array.fromAsync(batches([], { rows: 1, everyMs: 1, measure }))).toEqual([])
    expect(await Array.fromAsync(batches([1, 2], { rows: 1, measure, isAlone: () => true }))).toEqual([[1], [2]])
  })
})

describe('when the time is up', () => {
  afterEach(() => {
    jest.useRealTimers()
  })

  test('a batch is yielded although the source is silent, counted from its first item', async () => {
    const { channel, got, gathering } = start()
    await jest.advanceTimersByTimeAsync(5_000)
    await channel.send(1)
    await jest.advanceTimersByTimeAsync(600)
    await channel.send(2)
    await jest.advanceTimersByTimeAsync(399)
    expect(got).toEqual([])
    await jest.advanceTimersByTimeAsync(1)
    expect(got).toEqual([[1, 2]])
    await jest.advanceTimersByTimeAsync(5_000)
    expect(got).toEqual([[1, 2]])
    await channel.send(3)
    await jest.advanceTimersByTimeAsync(1_000)
    expect(got).toEqual([[1, 2], [3]])
    await channel.send(4)
    channel.close()
    await gathering
    expect(got).toEqual([[1, 2], [3], [4]])
    expect(jest.getTimerCount()).toBe(0)
  })

  test('a consumer slower than everyMs still gets full batches', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] })
    const { source } = counting({ length: 6 })
    const got: number[][] = []
    for await (const batch of batches(source, { rows: 3, everyMs: 1_000, measure })) {
      got.push(batch)
      await jest.advanceTimersByTimeAsync(10_000)
    }
    expect(got).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
  })

  test('the item in flight starts the next batch', async () => {
    const { channel, got, gathering } = start()
    await channel.send(1)
    await jest.advanceTimersByTimeAsync(1_000)
    await channel.send(2)
    channel.close()
    await gathering
    expect(got).toEqual([[1], [2]])
  })
})

test('an item for which isAlone returns true forms a batch by itself', async () => {
  expect(await Array.fromAsync(batches([1, 2, 3, 4, 5], { measure, isAlone: (n) => n === 3 }))).toEqual([
    [1, 2],
    [3],
    [4, 5],
  ])
})

test('batches throw the error of their source after the items before it', async () => {
  const { seen, source } = counting({ failAt: 5 })
  const got: number[][] = []
  await expect(
    (async () => {
      for await (const batch of batches(source, { rows: 3, measure })) got.push(batch)
    })(),
  ).rejects.toThrow('source failed at 5')
  expect(got).toEqual([
    [0, 1, 2],
    [3, 4],
  ])
  expect(seen.closed).toBe(true)
})

test("cancelled batches yield the gathered items, then reject with the signal's reason", async () => {
  const { controller, signal, leftBehind } = watched()
  const { seen, source } = counting({ before: (n) => (n === 2 ? forever(signal) : undefined) })
  const gathering = batches(source, { everyMs: 60_000, measure, signal })
  const first = gathering.next()
  await turns()
  controller.abort('stop')
  await expect(first).resolves.toEqual({ done: false, value: [0, 1] })
  await expect(gathering.next()).rejects.toBe('stop')
  // It is told to end, and nothing waits for it.
  while (!seen.closed) await turns()
  expect(leftBehind()).toEqual(nothing)
  await expect(batches(source, { measure, signal }).next()).rejects.toBe('stop')
})

test('cancelled batches do not wait for a source that ignores its signal', async () => {
  const { controller, signal, leftBehind } = watched()
  const { source } = counting({ before: (n) => (n === 2 ? new Promise(() => {}) : undefined) })
  const gathering = batches(source, { everyMs: 60_000, measure, signal })
  const first = gathering.next()
  await turns()
  controller.abort('stop')
  await expect(first).resolves.toEqual({ done: false, value: [0, 1] })
  await expect(gathering.next()).rejects.toBe('stop')
  expect(leftBehind()).toEqual(nothing)
})

test('cancelled batches read no further item', async () => {
  const { controller, signal } = watched()
  const { seen, source } = counting()
  const gathering = batches(source, { rows: 3, measure, signal })
  await gathering.next()
  controller.abort('stop')
  await expect(gathering.next()).rejects.toBe('stop')
  expect(seen).toEqual({ pulled: 3, closed: true })
})

test('an error of measure is thrown, and the source is closed', async () => {
  const { leftBehind } = watched()
  const { seen, source } = counting()
  const failing = batches(source, {
    everyMs: 60_000,
    measure: (n) => {
      if (n === 1) throw new Error('cannot measure')
      return measure(n)
    },
  })
  await expect(failing.next()).rejects.toThrow('cannot measure')
  expect(seen.closed).toBe(true)
  expect(leftBehind()).toEqual(nothing)
})

test('batches close their source when the consumer leaves, after the read in flight', async () => {
  const { signal, leftBehind } = watched()
  let inFlight = 0
  const { seen, source } = counting({
    before: async (n) => {
      if (n !== 1) return
      inFlight++
      await new Promise((resolve) => void setTimeout(resolve, 20))
      inFlight--
    },
  })
  for await (const batch of batches(source, { everyMs: 1, measure, signal })) {
    expect({ batch, inFlight }).toEqual({ batch: [0], inFlight: 1 })
    break
  }
  expect({ ...seen, inFlight }).toEqual({ pulled: 2, closed: true, inFlight: 0 })
  expect(leftBehind()).toEqual(nothing)
})

test('batches read at most one item ahead', async () => {
  const { seen, source } = counting({ length: 30 })
  let taken = 0
  for await (const batch of batches(source, { rows: 3, everyMs: 60_000, measure })) {
    taken += batch.length
    await turns(10)
    expect(seen.pulled).toBe(taken)
  }
  expect(taken).toBe(30)
})
