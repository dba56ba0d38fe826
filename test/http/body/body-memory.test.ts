import { describe, expect, it } from '@jest/globals'
import { BodyMemory } from '../../../src/http/body/body-memory.ts'

describe('the memory of bodies', () => {
  it('is as long as was asked for, and used again once it is given back', () => {
    const memory = new BodyMemory()
    const first = memory.take(100_000)
    expect(first).toHaveLength(100_000)
    memory.giveBack(first)
    const second = memory.take(100_500)
    expect(second).toHaveLength(100_500)
    expect(second.buffer).toBe(first.buffer)
  })

  it('is never lent to two at once, even if it is given back twice', () => {
    const memory = new BodyMemory()
    const [one, other] = [memory.take(10), memory.take(10)]
    expect(one.buffer).not.toBe(other.buffer)
    memory.giveBack(one)
    memory.giveBack(one)
    expect(memory.take(10).buffer).not.toBe(memory.take(10).buffer)
    memory.giveBack(other)
    const next = memory.take(10)
    memory.giveBack(other)
    expect(memory.take(10).buffer).not.toBe(next.buffer)
  })

  it('leaves alone what was not taken here', () => {
    const memory = new BodyMemory()
    const foreign = Buffer.alloc(65_536)
    memory.giveBack(foreign)
    expect(memory.take(65_536).buffer).not.toBe(foreign.buffer)
  })

  it('does not waste a large piece on a small body, nor keep more than 16 MB', () => {
    const memory = new BodyMemory()
    const large = memory.take(10_000_000)
    memory.giveBack(large)
    expect(memory.take(1_000).buffer).not.toBe(large.buffer)
    const larger = memory.take(12_000_000)
    memory.giveBack(larger)
    expect(memory.take(10_000_000).buffer).toBe(larger.buffer)
    expect(memory.take(10_000_000).buffer).not.toBe(large.buffer)
  })
})
