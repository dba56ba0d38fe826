import { describe, expect, it } from '@jest/globals'
import { BodyBuffers } from '../../../src/http/body/body-buffers.ts'

describe('the memory of bodies', () => {
  it('is as long as was asked for, and used again once it is given back', () => {
    const memory = new BodyBuffers()
    const first = memory.acquire(100_000)
    expect(first).toHaveLength(100_000)
    memory.release(first)
    const second = memory.acquire(100_500)
    expect(second).toHaveLength(100_500)
    expect(second.buffer).toBe(first.buffer)
  })

  it('is never lent to two at once, even if it is given back twice', () => {
    const memory = new BodyBuffers()
    const [one, other] = [memory.acquire(10), memory.acquire(10)]
    expect(one.buffer).not.toBe(other.buffer)
    memory.release(one)
    memory.release(one)
    expect(memory.acquire(10).buffer).not.toBe(memory.acquire(10).buffer)
    memory.release(other)
    const next = memory.acquire(10)
    memory.release(other)
    expect(memory.acquire(10).buffer).not.toBe(next.buffer)
  })

  it('leaves alone what was not taken here', () => {
    const memory = new BodyBuffers()
    const foreign = Buffer.alloc(65_536)
    memory.release(foreign)
    expect(memory.acquire(65_536).buffer).not.toBe(foreign.buffer)
  })

  it('does not waste a large piece on a small body, nor keep more than 16 MB', () => {
    const memory = new BodyBuffers()
    const large = memory.acquire(10_000_000)
    memory.release(large)
    expect(memory.acquire(1_000).buffer).not.toBe(large.buffer)
    const larger = memory.acquire(12_000_000)
    memory.release(larger)
    expect(memory.acquire(10_000_000).buffer).toBe(larger.buffer)
    expect(memory.acquire(10_000_000).buffer).not.toBe(large.buffer)
  })
})
