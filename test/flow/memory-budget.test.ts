import { describe, expect, test } from '@jest/globals'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import { ask, giveBack, served } from './ask-memory.ts'
import { nothing, turns, watched } from './left-behind.ts'

describe('a request', () => {
  test('beyond the limit waits until enough has been released', async () => {
    const budget = new MemoryBudget(100)
    const [a, b, c] = [ask(budget.account(), 60), ask(budget.account(), 40), ask(budget.account(), 50)]
    expect(await served(a, b, c)).toEqual([true, true, false])
    await giveBack(b)
    expect(await served(c)).toEqual([false])
    await giveBack(a)
    expect(await served(c)).toEqual([true])
    await giveBack(c)
    expect({ used: budget.used, peak: budget.peak, waiting: budget.waiting }).toEqual({
      used: 0,
      peak: 100,
      waiting: 0,
    })
  })

  test('does not overtake an older, larger one', async () => {
    const budget = new MemoryBudget(100)
    const first = ask(budget.account(), 80)
    const [large, small] = [ask(budget.account(), 50), ask(budget.account(), 10)]
    expect(await served(first, large, small)).toEqual([true, false, false])
    await giveBack(first)
    expect(await served(large, small)).toEqual([true, true])
  })

  test('that reads ahead is served last', async () => {
    const budget = new MemoryBudget(100)
    const reader = budget.account()
    const [filling, ahead, other] = [ask(reader, 90), ask(reader, 20), ask(budget.account(), 20)]
    expect(await served(filling, ahead, other)).toEqual([true, false, false])
    const small = ask(reader, 1)
    expect(await served(small)).toEqual([false])
    ;(await filling.hold).resize(80)
    expect(await served(ahead, other, small)).toEqual([false, true, false])
    const third = ask(budget.account(), 25)
    await giveBack(other)
    expect(await served(ahead, third, small)).toEqual([false, false, false])
    ;(await filling.hold).resize(55)
    expect(await served(ahead, third, small)).toEqual([true, true, false])
  })

  test('larger than the whole limit is served alone', async () => {
    const budget = new MemoryBudget(100)
    const before = ask(budget.account(), 10)
    const huge = ask(budget.account(), 500)
    const after = ask(budget.account(), 10)
    expect(await served(before, huge, after)).toEqual([true, false, false])
    await giveBack(before)
    expect(await served(huge, after)).toEqual([true, false])
    await giveBack(huge)
    expect(await served(after)).toEqual([true])
    expect(budget.peak).toBe(500)
  })

  test('waits while a request larger than the limit is held, except for children of its page', async () => {
    const budget = new MemoryBudget(100)
    const parent = budget.account()
    const huge = await parent.reserve(500, {})
    const other = ask(budget.account(), 10)
    const child = parent.child(() => true)
    for (let page = 0; page < 50; page++) (await child.reserve(1, {}))[Symbol.dispose]()
    expect(await served(other)).toEqual([false])
    huge[Symbol.dispose]()
    expect(await served(other)).toEqual([true])
  })
})

describe('resizing a hold', () => {
  test('never waits, and counts more than was reserved', async () => {
    const budget = new MemoryBudget(100)
    const [a, b] = [ask(budget.account(), 10), ask(budget.account(), 90)]
    ;(await a.hold).resize(300)
    expect(budget.used).toBe(390)
    await giveBack(b)
    await giveBack(a)
    expect(budget.used).toBe(0)
  })

  test('passes released memory on to waiting requests', async () => {
    const budget = new MemoryBudget(100)
    const [a, b] = [ask(budget.account(), 100), ask(budget.account(), 50)]
    expect(await served(b)).toEqual([false])
    ;(await a.hold).resize(50)
    expect(await served(b)).toEqual([true])
  })

  test('changes nothing after the hold was disposed', async () => {
    const budget = new MemoryBudget(100)
    const hold = await budget.account().reserve(10, {})
    hold[Symbol.dispose]()
    hold.resize(50)
    hold[Symbol.dispose]()
    expect(budget.used).toBe(0)
  })
})

describe('a reader that its parent waits for', () => {
  test('is served at once, although the budget is used up', async () => {
    const budget = new MemoryBudget(100)
    const parent = budget.account()
    await parent.reserve(100, {})
    const below = parent.child(() => true)
    const child = ask(below, 30)
    const grandchild = ask(
      below.child(() => true),
      30,
    )
    expect(await served(child, grandchild)).toEqual([true, true])
    expect(budget.used).toBe(160)
  })

  test('waits while a page before its own is beyond the limit', async () => {
    const budget = new MemoryBudget(100)
    const parent = budget.account()
    await parent.reserve(100, {})
    const brothers = [
      ask(
        parent.child(() => true),
        30,
      ),
      ask(
        parent.child(() => true),
        30,
      ),
    ]
    expect(await served(...brothers)).toEqual([true, false])
    await giveBack(brothers[0]!)
    expect(await served(...brothers)).toEqual([true, true])
    expect(budget.peak).toBe(130)
  })

  test('waits until it and all readers above it are next', async () => {
    const budget = new MemoryBudget(100)
    const parent = budget.account()
    await parent.reserve(100, {})
    const next = { child: false, grandchild: false }
    const child = parent.child(() => next.child)
    const request = ask(
      child.child(() => next.grandchild),
      30,
    )
    for (const turn of ['none', 'grandchild', 'child'] as const) {
      if (turn !== 'none') next[turn] = true
      parent.recheck()
      expect({ turn, served: await served(request) }).toEqual({ turn, served: [turn === 'child'] })
    }
  })

  test('holds at most one page beyond the limit', async () => {
    const budget = new MemoryBudget(100)
    const parent = budget.account()
    await parent.reserve(100, {})
    const child = parent.child(() => true)
    const [page, ahead] = [ask(child, 30), ask(child, 30)]
    expect(await served(page, ahead)).toEqual([true, false])
    await giveBack(page)
    expect(await served(ahead)).toEqual([true])
  })

  test('gets overdraft when that of another line has been released, the oldest first', async () => {
    const budget = new MemoryBudget(100)
    const parents = [budget.account(), budget.account(), budget.account()]
    await Promise.all([parents[0]!.reserve(40, {}), parents[1]!.reserve(40, {}), parents[2]!.reserve(20, {})])
    const below = parents.map((parent) => parent.child(() => true))
    const children = below.map((child) => ask(child, 50))
    expect(await served(...children)).toEqual([true, false, false])
    const grandchild = ask(
      below[0]!.child(() => true),
      5,
    )
    expect(await served(grandchild)).toEqual([true])
    await giveBack(children[0]!)
    // Its line still holds 5 beyond the limit.
    expect(await served(...children)).toEqual([true, false, false])
    await giveBack(grandchild)
    expect(await served(...children)).toEqual([true, true, false])
    await giveBack(children[1]!)
    expect(await served(...children)).toEqual([true, true, true])
    expect(budget.peak).toBe(155)
  })

  test('gets overdraft when that of another line fits the limit again', async () => {
    const budget = new MemoryBudget(100)
    const [a, b, c] = [budget.account(), budget.account(), budget.account()]
    await Promise.all([a.reserve(20, {}), b.reserve(20, {})])
    const page = await c.reserve(60, {})
    const children = [a, b].map((parent) =>
      ask(
        parent.child(() => true),
        50,
      ),
    )
    expect(await served(...children)).toEqual([true, false])
    page.resize(5)
    expect({ served: await served(...children), used: budget.used }).toEqual({ served: [true, true], used: 145 })
  })
})

test('a stream that holds nothing is served after 16 others have overtaken it', async () => {
  const budget = new MemoryBudget(100)
  const parents = [budget.account(), budget.account()]
  for (const parent of parents) await parent.reserve(45, {})
  const child = parents[0]!.child(() => true)
  const patient = ask(budget.account(), 60)
  let pages = 0
  for (; pages < 100 && !patient.served; pages++) {
    const page = await child.reserve(20, {})
    page[Symbol.dispose]()
    await turns(1)
  }
  expect(patient.served).toBe(true)
  expect(pages).toBeGreaterThan(1)
})

describe('an end', () => {
  test('of a wait by its signal rejects with the reason and serves the requests behind it', async () => {
    const { controller, signal, leftBehind } = watched()
    const budget = new MemoryBudget(100)
    const kept = await budget.account().reserve(60, { signal })
    const large = ask(budget.account(), 50, signal)
    const small = ask(budget.account(), 40)
    expect(await served(large, small)).toEqual([false, false])
    controller.abort('stop')
    await expect(large.hold).rejects.toBe('stop')
    expect(await served(small)).toEqual([true])
    await expect(budget.account().reserve(1, { signal })).rejects.toBe('stop')
    expect(leftBehind()).toEqual(nothing)
    kept[Symbol.dispose]()
    expect(budget.used).toBe(40)
  })

  test('of an account releases all that its tree holds, once, and rejects its waits', async () => {
    const budget = new MemoryBudget(100)
    const account = budget.account()
    const child = account.child(() => false)
    const holds = [await account.reserve(50, {}), await child.reserve(50, {})]
    const waiting = ask(child, 10)
    const other = ask(budget.account(), 100)
    account[Symbol.dispose]()
    await expect(waiting.hold).rejects.toThrow('was closed')
    await expect(child.reserve(1, {})).rejects.toThrow('is closed')
    expect(await served(other)).toEqual([true])
    for (const hold of holds) hold[Symbol.dispose]()
    expect(budget.used).toBe(100)
  })
})

test.each([0, -1, Number.NaN])('a limit of %p is refused', (limit) => {
  expect(() => new MemoryBudget(limit)).toThrow(RangeError)
})

test.each([-1, Number.NaN, Infinity])('a request for %p bytes is refused', async (bytes) => {
  const budget = new MemoryBudget(10)
  await expect(budget.account().reserve(bytes, {})).rejects.toThrow(RangeError)
  expect(budget.waiting).toBe(0)
})
