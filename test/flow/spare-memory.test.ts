import { describe, expect, test } from '@jest/globals'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import { ask, giveBack, served } from './ask-memory.ts'

const ignored = (): void => {}

describe('spare memory', () => {
  test('counts, up to a quarter of the limit, and only what is free while no request waits', async () => {
    const budget = new MemoryBudget(100)
    const spare = budget.spare.hold(20, ignored)
    expect(budget.used).toBe(20)
    expect([budget.spare.fits(5), budget.spare.fits(6)]).toEqual([true, false])
    expect(budget.spare.hold(6, ignored)).toBeUndefined()
    spare![Symbol.dispose]()
    spare![Symbol.dispose]()
    expect(budget.used).toBe(0)
    const reader = budget.account()
    const [held, ahead] = [ask(reader, 90), ask(reader, 20)]
    expect(await served(held, ahead)).toEqual([true, false])
    expect(budget.spare.hold(11, ignored)).toBeUndefined()
    expect(budget.spare.hold(1, ignored)).toBeUndefined()
    await giveBack(held)
    expect(await served(ahead)).toEqual([true])
    expect(budget.spare.hold(1, ignored)).toBeDefined()
  })

  test('is given up, the oldest first, before a reader waits or overdraws, but not to read ahead', async () => {
    const budget = new MemoryBudget(100)
    const givenUp: string[] = []
    for (const name of ['a', 'b', 'c']) budget.spare.hold(8, () => givenUp.push(name))
    const reader = budget.account()
    const held = ask(reader, 70)
    const ahead = ask(reader, 10)
    expect(await served(held, ahead)).toEqual([true, false])
    expect(givenUp).toEqual([])
    const first = ask(budget.account(), 10)
    expect(await served(first, ahead)).toEqual([true, false])
    expect({ givenUp, used: budget.used }).toEqual({ givenUp: ['a'], used: 96 })
    // A child of the page that is held.
    const blocked = ask(
      reader.child(() => true),
      20,
    )
    expect(await served(blocked)).toEqual([true])
    expect({ givenUp, used: budget.used }).toEqual({ givenUp: ['a', 'b', 'c'], used: 100 })
    expect(await served(ahead)).toEqual([false])
  })

  test('is given up when a page turns out to be larger', async () => {
    const budget = new MemoryBudget(100)
    let isGivenUp = false
    budget.spare.hold(20, () => (isGivenUp = true))
    const hold = await budget.account().reserve(70, {})
    hold.resize(90)
    expect(await served()).toEqual([])
    expect({ isGivenUp, used: budget.used, peak: budget.peak }).toEqual({ isGivenUp: true, used: 90, peak: 90 })
  })

  test('moves to a reader without a wait, but not before its older request', async () => {
    const budget = new MemoryBudget(100)
    const [slow, other] = [budget.account(), budget.account()]
    const spare = budget.spare.hold(20, ignored)!
    const later = budget.spare.hold(5, ignored)!
    await other.reserve(75, {})
    const moved = await spare.moveTo(slow, {})
    expect(budget.used).toBe(100)
    const older = ask(slow, 10)
    const behind = later.moveTo(slow, {})
    let isMoved = false
    void behind.then(() => (isMoved = true))
    expect(await served(older)).toEqual([false])
    expect({ isMoved, used: budget.used }).toEqual({ isMoved: false, used: 100 })
    moved[Symbol.dispose]()
    expect(await served(older)).toEqual([true])
    ;(await behind)[Symbol.dispose]()
    expect(budget.used).toBe(85)
    await giveBack(older)
    expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 75, waiting: 0 })
  })

  test('that was given up is reserved like any other, and released when its reader is stopped', async () => {
    const budget = new MemoryBudget(100)
    const spare = budget.spare.hold(20, ignored)!
    const full = ask(budget.account(), 100)
    expect(await served(full)).toEqual([true])
    const stop = new AbortController()
    const moving = spare.moveTo(budget.account(), { signal: stop.signal })
    expect(budget.waiting).toBe(1)
    stop.abort(new Error('stopped'))
    await expect(moving).rejects.toThrow('stopped')
    await giveBack(full)
    const next = budget.spare.hold(20, ignored)!
    await expect(next.moveTo(budget.account(), { signal: stop.signal })).rejects.toThrow('stopped')
    expect(() => new MemoryBudget(1).spare.hold(-1, ignored)).toThrow('Bytes must be a number of 0 or more')
    await expect(next.moveTo(new MemoryBudget(100).account(), {})).rejects.toThrow('an account of its own budget')
    expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
  })
})
