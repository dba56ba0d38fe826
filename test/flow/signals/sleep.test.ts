/** @jest-environment ./test/support/jest/isolated-environment.ts */
import { afterEach, expect, jest, test } from '@jest/globals'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { nothing, watched } from '../left-behind.ts'

afterEach(() => {
  jest.useRealTimers()
})

test('sleep waits for its time', async () => {
  jest.useFakeTimers()
  let done = false
  void sleep(1_000).then(() => (done = true))
  await jest.advanceTimersByTimeAsync(999)
  expect(done).toBe(false)
  await jest.advanceTimersByTimeAsync(1)
  expect(done).toBe(true)
})

test('sleep waits for months, although a timer of Node cannot', async () => {
  jest.useFakeTimers()
  let done = false
  const days = 86_400_000
  void sleep(60 * days).then(() => (done = true))
  await jest.advanceTimersByTimeAsync(60 * days - 1)
  expect(done).toBe(false)
  await jest.advanceTimersByTimeAsync(1)
  expect(done).toBe(true)
})

test("sleep rejects with the signal's reason at once", async () => {
  const { controller, signal, leftBehind } = watched()
  const reason = new Error('enough')
  const sleeping = sleep(60_000, { signal })
  expect(leftBehind()).toEqual({ listeners: 1, timers: 1 })
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(sleep(60_000, { signal })).rejects.toBe(reason)
  expect(leftBehind()).toEqual(nothing)
})

test('sleep leaves no listener or timer at its end', async () => {
  const { signal, leftBehind } = watched()
  await sleep(1, { signal })
  expect(leftBehind()).toEqual(nothing)
})
