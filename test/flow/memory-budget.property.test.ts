import { describe, expect, test } from '@jest/globals'
import { Channel } from '../../src/flow/channel.ts'
import { LinkedSignal } from '../../src/flow/signals/linked-signal.ts'
import type { MemoryAccount, MemoryHold } from '../../src/flow/memory-account.ts'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import { readAhead } from '../../src/flow/read-ahead.ts'
import { TaskGroup } from '../../src/flow/task-group.ts'
import { turns } from './left-behind.ts'

/** The pages of a reader, and for each record of a page one reader below it. */
interface Branch {
  readonly bytes: number
  readonly children: readonly Branch[][]
}

/** Returns pseudo-random numbers, the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}
const list = <T>(length: number, item: (n: number) => T): T[] => Array.from({ length }, (_, n) => item(n))

/** Runs one scenario: a budget, streams with children and grandchildren, and consumers of any speed. */
async function play(seed: number) {
  const roll = dice(seed)
  const limit = 20 + roll(100)
  const largest = 1 + roll(roll(4) === 0 ? limit * 2 : limit)
  const page = (depth: number): Branch => ({
    bytes: roll(largest + 1),
    children: depth === 0 ? [] : list(roll(5), () => pages(depth - 1)),
  })
  const pages = (depth: number): Branch[] => list(roll(4), () => page(depth))
  const depth = roll(4)
  const streams = list(1 + roll(5), () => list(1 + roll(4), () => page(depth)))
  const concurrency = 1 + roll(4)
  const budget = new MemoryBudget(limit)
  const forgotten: Disposable[] = []
  let moves = 0
  const seen = { handedOn: 0, expected: 0, done: false, spare: 0, givenUp: 0 }

  /** A page that was kept for a while, as another reader's response is, and perhaps given up. */
  async function afterSpare(
    bytes: number,
    account: MemoryAccount,
    signal: AbortSignal,
  ): Promise<MemoryHold | undefined> {
    if (roll(3) > 0) return undefined
    let isGivenUp = false
    const spare = budget.spare.hold(bytes, () => {
      isGivenUp = true
      seen.givenUp++
    })
    if (!spare) return undefined
    seen.spare++
    // Some are for a reader that never comes.
    if (roll(6) === 0) {
      forgotten.push(spare)
      return undefined
    }
    await turns(roll(8))
    if (isGivenUp && roll(2) === 0) return undefined
    if (roll(4) > 0) return spare.moveTo(account, { signal })
    spare[Symbol.dispose]()
    return undefined
  }

  async function* read(
    branches: readonly Branch[],
    account: MemoryAccount,
    signal: AbortSignal,
  ): AsyncGenerator<MemoryHold> {
    for (const { bytes, children } of branches) {
      const asked = bytes + roll(1 + largest - bytes)
      const hold = (await afterSpare(asked, account, signal)) ?? (await account.reserve(asked, { signal }))
      moves++
      await turns(roll(3))
      hold.resize(bytes)
      if (children.length > 0) yield* below(children, account, signal)
      // The reader releases a page with children after they have been read; the consumer releases any other.
      if (children.length > 0) hold[Symbol.dispose]()
      else yield hold
    }
  }

  /** Reads children concurrently, one page ahead each, and yields them in their order. */
  async function* below(
    children: readonly Branch[][],
    account: MemoryAccount,
    parent: AbortSignal,
  ): AsyncGenerator<MemoryHold> {
    await using group = new TaskGroup({ signal: parent })
    const { signal } = group
    let turn = 0
    let started = 0
    const channels: Channel<MemoryHold>[] = []
    const start = (): void => {
      const place = started++
      const channel = new Channel<MemoryHold>(1)
      channels.push(channel)
      group.spawn(async () => {
        for await (const hold of read(
          children[place]!,
          account.child(() => turn === place),
          signal,
        ))
          await channel.send(hold, { signal })
        channel.close()
      })
    }
    for (; turn < children.length; turn++) {
      while (started < Math.min(children.length, turn + concurrency)) start()
      account.recheck()
      yield* channels[turn]!.read({ signal })
    }
    await group.join()
  }

  const leaves = (branches: readonly Branch[]): number =>
    branches.reduce(
      (sum, { children }) =>
        sum + (children.length === 0 ? 1 : children.reduce((sum, child) => sum + leaves(child), 0)),
      0,
    )

  await using group = new TaskGroup()
  const consume = async (branches: readonly Branch[], signal: AbortSignal): Promise<number> => {
    using account = budget.account()
    let pages = 0
    for await (const hold of readAhead(read(branches, account, signal), { signal })) {
      await turns(roll(4))
      moves++
      pages++
      hold[Symbol.dispose]()
    }
    return pages
  }
  // Sometimes one stream is cancelled in the middle. The others must not be affected.
  const cancelled = new LinkedSignal(group.signal)
  const isCancelled = (stream: number): boolean => stream === 0 && seed % 3 === 0
  group.spawn(async () => {
    await turns(roll(40))
    cancelled.abort('cancelled')
  })
  const reading = Promise.all(
    streams.map(async (branches, stream) => {
      if (isCancelled(stream)) return consume(branches, cancelled.signal).catch(() => {})
      seen.expected += leaves(branches)
      const pages = await consume(branches, group.signal)
      seen.handedOn += pages
    }),
  ).finally(() => (seen.done = true))
  group.spawn(() => reading)
  group.spawn(async () => {
    while (!seen.done) {
      const before = moves
      await turns(100)
      if (before === moves && !seen.done)
        throw new Error(`seed ${seed}: nothing moves any more, ${budget.waiting} wait, ${budget.used} of ${limit} used`)
    }
  })
  await group.join()
  for (const spare of forgotten) spare[Symbol.dispose]()
  return { limit, largest, depth, budget, ...seen }
}

describe('trees of readers that read on behalf of others', () => {
  test('read everything without deadlock, within the limit and one page for each reader of a line', async () => {
    const overdrawn: number[] = []
    const spares = { spare: 0, givenUp: 0 }
    for (let seed = 1; seed <= 300; seed++) {
      const { limit, largest, depth, budget, handedOn, expected, spare, givenUp } = await play(seed)
      spares.spare += spare
      spares.givenUp += givenUp
      expect({ seed, handedOn, used: budget.used, waiting: budget.waiting }).toEqual({
        seed,
        handedOn: expected,
        used: 0,
        waiting: 0,
      })
      expect({ seed, near: budget.peak <= limit + (depth + 1) * largest || budget.peak }).toEqual({ seed, near: true })
      overdrawn.push(Math.max(0, budget.peak - limit) / largest)
    }
    // Otherwise the scenarios would not have used overdraft, nor spare memory.
    expect(overdrawn.filter((pages) => pages > 0).length).toBeGreaterThan(50)
    expect(spares.givenUp).toBeGreaterThan(50)
    expect(spares.spare).toBeGreaterThan(2 * spares.givenUp)
  })
})
