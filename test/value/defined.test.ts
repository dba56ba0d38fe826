import { expect, test } from '@jest/globals'
import { defined } from '../../src/value/defined.ts'

test('defined leaves out undefined members and keeps null, 0, false and empty text', () => {
  const limit: number | undefined = undefined
  const result: { limit?: number; name: string } = defined({ limit, name: '', none: null, zero: 0, no: false })
  expect(result).toStrictEqual({ name: '', none: null, zero: 0, no: false })
})
