import { describe, expect, test } from '@jest/globals'
import { deadline, TimeoutError, withTimeout } from '../../../src/flow/signals/timeout.ts'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { forever, nothing, watched } from '../left-behind.ts'

describe('withTimeout', () => {
  test('returns the result of the work, and leaves no listener or timer', async () => {
    const { signal, leftBehind } = watched()
    await expect(withTimeout(60_000, () => 7, { signal })).resolves.toBe(7)
    await expect(
      withTimeout(
        60_000,
        () => {
          throw new Error('work failed')
        },
        { signal },
      ),
    ).rejects.toThrow('work failed')
    expect(leftBehind()).toEqual(nothing)
  })

  test('names the work and its limit in the error', async () => {
    const late = withTimeout(5, forever, { what: 'GET /customers' })
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError', message: 'GET /customers took longer than 5ms' })
    await expect(late).rejects.toBeInstanceOf(TimeoutError)
  })

  test('rejects in time even if the work ignores its signal', async () => {
    await expect(withTimeout(5, () => new Promise(() => {}))).rejects.toThrow('The work took longer than 5ms')
  })

  test('aborts the signal of the work', async () => {
    let reason: unknown
    await withTimeout(5, (signal) =>
      forever(signal).catch((error: unknown) => {
        reason = error
        throw error
      }),
    ).catch(() => {})
    expect(reason).toBeInstanceOf(TimeoutError)
  })

  test("rejects with the signal's reason when cancelled", async () => {
    const { controller, signal, leftBehind } = watched()
    const reason = new Error('stop')
    const call = withTimeout(60_000, forever, { signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect(leftBehind()).toEqual(nothing)
    await expect(withTimeout(60_000, () => 7, { signal })).rejects.toBe(reason)
  })
})

describe('deadline', () => {
  test('aborts after its time', async () => {
    using limit = deadline(undefined, 5)
    await expect(forever(limit.signal)).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('aborts with the given signal, at once if that has aborted', () => {
    const { controller, signal } = watched()
    using before = deadline(signal, 60_000)
    controller.abort('stop')
    using after = deadline(signal, 60_000)
    expect([before.signal.reason, after.signal.reason]).toEqual(['stop', 'stop'])
  })

  test('leaves no listener or timer after many uses', () => {
    const { signal, leftBehind } = watched()
    for (let time = 0; time < 100; time++) {
      using _ = deadline(signal, 60_000)
    }
    expect(leftBehind()).toEqual(nothing)
  })

  test('does not abort after it was disposed', async () => {
    const limit = deadline(undefined, 5)
    limit[Symbol.dispose]()
    await sleep(10)
    expect(limit.signal.aborted).toBe(false)
  })

  test('longer than a timer can run does not abort at once', async () => {
    using limit = deadline(undefined, 2 ** 31)
    await sleep(5)
    expect(limit.signal.aborted).toBe(false)
  })
})
