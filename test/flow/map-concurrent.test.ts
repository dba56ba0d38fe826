import { describe, expect, test } from '@jest/globals'
import { mapConcurrent } from '../../src/flow/map-concurrent.ts'
import { counting, forever, nothing, turns, watched } from './left-behind.ts'

const collect = async <T>(from: AsyncIterable<T>, into: T[] = []): Promise<T[]> => {
  for await (const item of from) into.push(item)
  return into
}

/** Calls that count themselves. */
function calls() {
  const seen = { running: 0, peak: 0, aborted: [] as number[] }
  const call =
    (work: (n: number, signal: AbortSignal) => Promise<unknown>) =>
    async (n: number, signal: AbortSignal): Promise<number> => {
      seen.peak = Math.max(seen.peak, ++seen.running)
      try {
        await work(n, signal)
        return n
      } catch (error) {
        if (signal.aborted) seen.aborted.push(n)
        throw error
      } finally {
        seen.running--
      }
    }
  return { seen, call }
}

describe.each([{ ordered: true }, { ordered: false }])('whether in order or not: %p', ({ ordered }) => {
  describe('mapConcurrent with four calls at a time, left after ten of a thousand items', () => {
    test('has read 13 items, closed the source and ended all calls', async () => {
      const { seen: source, source: items } = counting()
      const { seen, call } = calls()
      let taken = 0
      for await (const _ of mapConcurrent(
        items,
        call(() => turns(1)),
        { concurrency: 4, ordered },
      )) {
        await turns(20)
        if (++taken === 10) break
      }
      expect({ ...source, ...seen }).toMatchObject({ pulled: 13, closed: true, running: 0, peak: 4 })
    })

    test('aborts the calls in flight and waits for them', async () => {
      const { seen, call } = calls()
      for await (const _ of mapConcurrent(
        [0, 1, 2, 3, 4],
        call(async (n, signal) => {
          await turns()
          if (n > 0)
            await forever(signal).catch(async (error: unknown) => {
              await turns(10)
              throw error
            })
        }),
        { concurrency: 4, ordered },
      ))
        break
      expect(seen).toMatchObject({ running: 0, aborted: [1, 2, 3] })
    })

    test('throws the first error of a call after aborting the calls behind it', async () => {
      const { seen: source, source: items } = counting()
      const { seen, call } = calls()
      const run = collect(
        mapConcurrent(
          items,
          call(async (n, signal) => {
            if (n > 3)
              await forever(signal).catch(async (error: unknown) => {
                await turns()
                throw error
              })
            await turns()
            if (n === 3) throw new Error(`boom ${n}`)
          }),
          { concurrency: 4, ordered },
        ),
      )
      await expect(run).rejects.toThrow('boom 3')
      expect({ ...source, ...seen }).toMatchObject({ closed: true, running: 0, aborted: [4, 5, 6] })
    })

    test('throws an error of the source after the results before it', async () => {
      const { seen: source, source: items } = counting({ failAt: 6 })
      const { seen, call } = calls()
      const got: number[] = []
      await expect(
        collect(
          mapConcurrent(
            items,
            call(() => turns(5)),
            { concurrency: 4, ordered },
          ),
          got,
        ),
      ).rejects.toThrow('source failed at 6')
      expect(got.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
      expect({ ...source, ...seen }).toMatchObject({ closed: true, running: 0 })
    })
  })

  test('runs no more calls and reads no further ahead than its concurrency', async () => {
    for (const pause of [0, 5]) {
      let handedOn = 0
      let furthest = 0
      const { seen, source } = counting({
        length: 50,
        before: (n) => void (furthest = Math.max(furthest, n + 1 - handedOn)),
      })
      const { seen: ran, call } = calls()
      for await (const _ of mapConcurrent(
        source,
        call((n) => turns(n % 7)),
        { concurrency: 3, ordered },
      )) {
        await turns(pause)
        handedOn++
      }
      expect({ pulled: seen.pulled, furthest }).toEqual({ pulled: 50, furthest: 3 })
      expect(ran.peak).toBeLessThanOrEqual(3)
    }
  })

  test('stops at once after a failed call, although the source is slow', async () => {
    const log: string[] = []
    const slow = new Promise<void>(() => {})
    const { source } = counting({ before: (n) => (n === 2 ? slow : undefined) })
    const run = collect(
      mapConcurrent(
        source,
        async (n, signal) => {
          if (n === 1) return forever(signal).catch(() => log.push('aborted'))
          await turns()
          throw new Error('boom')
        },
        { concurrency: 4, ordered },
      ),
    )
    await expect(run).rejects.toThrow('boom')
    expect(log).toEqual(['aborted'])
  })

  test('stops after a failed call while the consumer works', async () => {
    const log: unknown[] = []
    const boom = new Error('boom')
    await expect(
      (async () => {
        for await (const _ of mapConcurrent(
          [0, 1, 2],
          async (n, signal) => {
            if (n === 1) await turns(1).then(() => Promise.reject(boom))
            if (n === 2) await forever(signal).catch((error: unknown) => log.push(error))
          },
          { concurrency: 3, ordered },
        )) {
          await turns()
          expect(log).toEqual([boom])
        }
      })(),
    ).rejects.toBe(boom)
  })

  test("rejects with the signal's reason when cancelled, aborts its calls and closes its source", async () => {
    const { controller, signal, leftBehind } = watched()
    const { seen: source, source: items } = counting()
    const { seen, call } = calls()
    const run = collect(
      mapConcurrent(
        items,
        call((_, signal) => forever(signal)),
        { concurrency: 2, ordered, signal },
      ),
    )
    await turns()
    controller.abort('stop')
    await expect(run).rejects.toBe('stop')
    expect({ ...source, ...seen }).toMatchObject({ closed: true, running: 0, aborted: [0, 1] })
    expect(leftBehind()).toEqual(nothing)
    await expect(collect(mapConcurrent([1], (n) => n, { ordered, signal }))).rejects.toBe('stop')
  })

  test('leaves no listener or timer at its end or when left', async () => {
    const { signal, leftBehind } = watched()
    await collect(mapConcurrent([1, 2, 3], (n) => n, { ordered, signal }))
    for await (const _ of mapConcurrent([1, 2, 3], (n) => n, { ordered, signal })) break
    expect(leftBehind()).toEqual(nothing)
  })

  test('accepts iterables and functions that are async or not', async () => {
    expect(await collect(mapConcurrent([1, Promise.resolve(2), 3], (n) => n * 2, { ordered }))).toEqual([2, 4, 6])
    expect(await collect(mapConcurrent([], (n) => n, { ordered }))).toEqual([])
    await expect(
      collect(
        mapConcurrent(
          [1],
          () => {
            throw new Error('not async')
          },
          { ordered },
        ),
      ),
    ).rejects.toThrow('not async')
  })

  test('gives a source that is a function a signal, which ends a slow read when the consumer leaves', async () => {
    const log: string[] = []
    async function* slow(signal: AbortSignal): AsyncGenerator<number> {
      yield 1
      await forever(signal).catch(() => log.push('aborted'))
    }
    for await (const _ of mapConcurrent(slow, (n) => n, { ordered })) {
      await turns()
      break
    }
    expect(log).toEqual(['aborted'])
  })
})

test('mapConcurrent yields ordered results in the order of the items', async () => {
  expect(await collect(mapConcurrent([9, 1, 5, 3], async (n) => (await turns(n), n), { concurrency: 4 }))).toEqual([
    9, 1, 5, 3,
  ])
})

test('mapConcurrent yields unordered results in the order of completion', async () => {
  expect(
    await collect(mapConcurrent([9, 1, 5, 3], async (n) => (await turns(n), n), { concurrency: 4, ordered: false })),
  ).toEqual([1, 3, 5, 9])
})

test('mapConcurrent yields the ordered results before a failure, and throws the earliest failure', async () => {
  const got: number[] = []
  const run = collect(
    mapConcurrent(
      [0, 1, 2, 3, 4],
      async (n, signal) => {
        if (n === 3) throw new Error('quick but later')
        await turns(5 * (n + 1))
        signal.throwIfAborted()
        if (n === 2) throw new Error('slow but earlier')
        return n
      },
      { concurrency: 5 },
    ),
    got,
  )
  await expect(run).rejects.toThrow('slow but earlier')
  expect(got).toEqual([0, 1])
})

test.each([0, -1, 1.5, Number.NaN])('a concurrency of %p is refused', async (concurrency) => {
  await expect(collect(mapConcurrent([1], (n) => n, { concurrency }))).rejects.toThrow(RangeError)
})
