import { describe, expect, test } from '@jest/globals'
import { BodyBuffers } from '../../../src/http/body/body-buffers.ts'

describe('a body buffer', () => {
  test('has the requested length, and is reused after its release', () => {
    const buffers = new BodyBuffers()
    const first = buffers.acquire(100_000)
    expect(first).toHaveLength(100_000)
    buffers.release(first)
    const second = buffers.acquire(100_500)
    expect(second).toHaveLength(100_500)
    expect(second.buffer).toBe(first.buffer)
  })

  test('is never given out twice at once, even after two releases', () => {
    const buffers = new BodyBuffers()
    const [one, other] = [buffers.acquire(10), buffers.acquire(10)]
    expect(one.buffer).not.toBe(other.buffer)
    buffers.release(one)
    buffers.release(one)
    expect(buffers.acquire(10).buffer).not.toBe(buffers.acquire(10).buffer)
    buffers.release(other)
    const next = buffers.acquire(10)
    buffers.release(other)
    expect(buffers.acquire(10).buffer).not.toBe(next.buffer)
  })

  test('is not made from a buffer that was not acquired here', () => {
    const buffers = new BodyBuffers()
    const foreign = Buffer.alloc(65_536)
    buffers.release(foreign)
    expect(buffers.acquire(65_536).buffer).not.toBe(foreign.buffer)
  })

  test('is not reused for a much smaller body, and at most 16 MB are kept', () => {
    const buffers = new BodyBuffers()
    const large = buffers.acquire(10_000_000)
    buffers.release(large)
    expect(buffers.acquire(1_000).buffer).not.toBe(large.buffer)
    const larger = buffers.acquire(12_000_000)
    buffers.release(larger)
    expect(buffers.acquire(10_000_000).buffer).toBe(larger.buffer)
    expect(buffers.acquire(10_000_000).buffer).not.toBe(large.buffer)
  })
})
