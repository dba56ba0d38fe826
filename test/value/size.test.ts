import { expect, test } from '@jest/globals'
import { parseSize } from '../../src/value/size.ts'

test.each([
  ['64MB', 67_108_864],
  ['512kB', 524_288],
  ['1.5GB', 1_610_612_736],
  [1_000, 1_000],
])('the size %p is %d bytes', (size, bytes) => {
  expect(parseSize(size)).toBe(bytes)
})

test.each(['64', '64 MB', '64mb', '-1MB', 'MB', '', 0, -1, 1.5, Number.NaN, Infinity, '0MB'])(
  'the size %p is refused with an example',
  (size) => {
    expect(() => parseSize(size)).toThrow(/is no size: write .+ as in '64MB'/)
  },
)
