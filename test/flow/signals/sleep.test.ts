import { afterEach, expect, jest, test } from '@jest/globals'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { nothing, watched } from '../left-behind.ts'

afterEach(() => {
  jest.useRealTimers()
})

test('waits as long as it was told', async () => {
  jest.useFakeTimers()
  let done = false
  void sleep(1_000).then(() => (done = true))
  await jest.advanceTimersByTimeAsync(999)
  expect(done).toBe(false)
  await jest.advanceTimersByTimeAsync(1)
  expect(done).toBe(true)
})

test('waits for months, though a timer of Node cannot', async () => {
  jest.useFakeTimers()
  let done = false
  const days = 86_400_000
  void sleep(60 * days).then(() => (done = true))
  await jest.advanceTimersByTimeAsync(60 * days - 1)
  expect(done).toBe(false)
  await jest.advanceTimersByTimeAsync(1)
  expect(done).toBe(true)
})

test("rejects with the signal's own reason, at once, and leaves no listener or timer behind", async () => {
  const { controller, signal, leftBehind } = watched()
  const reason = new Error('enough')
  const sleeping = sleep(60_000, { signal })
  expect(leftBehind()).toEqual({ listeners: 1, timers: 1 })
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(sleep(60_000, { signal })).rejects.toBe(reason)
  expect(leftBehind()).toEqual(nothing)
})

test('leaves no listener or timer behind when it is over', async () => {
  const { signal, leftBehind } = watched()
  await sleep(1, { signal })
  expect(leftBehind()).toEqual(nothing)
})
