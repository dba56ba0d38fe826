import { expect, test } from '@jest/globals'
import { Semaphore } from '../../src/flow/semaphore.ts'
import { nothing, turns, watched } from './left-behind.ts'

test('a semaphore never has more permits in use than its number', async () => {
  const semaphore = new Semaphore(3)
  let running = 0
  let peak = 0
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      using _ = await semaphore.acquire()
      peak = Math.max(peak, ++running)
      await turns()
      running--
    }),
  )
  expect({ peak, running }).toEqual({ peak: 3, running: 0 })
})

test('a semaphore serves waiting tasks in their order', async () => {
  const semaphore = new Semaphore(1)
  const order: number[] = []
  const first = await semaphore.acquire()
  const waiting = [1, 2].map(async (n) => {
    using _ = await semaphore.acquire()
    order.push(n)
  })
  first[Symbol.dispose]()
  waiting.push(
    (async () => {
      using _ = await semaphore.acquire()
      order.push(3)
    })(),
  )
  await Promise.all(waiting)
  expect(order).toEqual([1, 2, 3])
})

test("a cancelled wait for a permit rejects with the signal's reason and takes no permit", async () => {
  const { controller, signal, leftBehind } = watched()
  const semaphore = new Semaphore(1)
  const first = await semaphore.acquire({ signal })
  const second = semaphore.acquire({ signal })
  controller.abort('stop')
  await expect(second).rejects.toBe('stop')
  await expect(semaphore.acquire({ signal })).rejects.toBe('stop')
  first[Symbol.dispose]()
  using third = await semaphore.acquire()
  expect(third).toBeDefined()
  expect(leftBehind()).toEqual(nothing)
})

test('a permit that is disposed twice is released once', async () => {
  const semaphore = new Semaphore(1)
  const permit = await semaphore.acquire()
  permit[Symbol.dispose]()
  permit[Symbol.dispose]()
  using _ = await semaphore.acquire()
  let second = false
  void semaphore.acquire().then(() => (second = true))
  await turns()
  expect(second).toBe(false)
})

test.each([0, -1, 1.5, Number.NaN])('a semaphore of %p permits throws', (permits) => {
  expect(() => new Semaphore(permits)).toThrow(RangeError)
})
