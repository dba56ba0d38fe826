import { expect, test } from '@jest/globals'
import type { CountedPaging } from '../../../src/source/paging/counted-pages.ts'
import { ListAnchors } from '../../../src/source/moving/list-anchors.ts'
import { RecordIdentity } from '../../../src/source/moving/record-identity.ts'
import { Volatility } from '../../../src/source/moving/volatility.ts'

const paging: CountedPaging = { type: 'offset', parameter: 'offset', start: 0 }
const at = (offset: number) => ({ method: 'GET' as const, url: '/list', query: { offset: String(offset) } })
const page = (version: number) => [
  { id: 1, version: 1 },
  { id: 2, version },
]

/** A first page was read, and the next one begins with another version of its last record. */
function afterTouch() {
  const anchors = new ListAnchors(new RecordIdentity(['id'], undefined))
  const volatility = new Volatility(paging, anchors, { isAsked: true, isVolatile: false })
  anchors.add(page(1))
  volatility.add(page(1), at(0))
  expect(volatility.probe({ id: 2, version: 2 })).toBe(0)
  return { anchors, volatility }
}

test('a record that was touched once is known by its new content, and that of the others still counts', () => {
  const { anchors, volatility } = afterTouch()
  expect(volatility.judge(page(2), at(0))).toBe(true)
  expect(volatility.isVolatile).toBe(false)
  expect(anchors.isLast({ id: 2, version: 2 })).toBe(true)
})

test('a third content in the page before shows that records differ each time', () => {
  const { volatility } = afterTouch()
  expect(volatility.judge(page(3), at(0))).toBe(true)
  expect(volatility.isVolatile).toBe(true)
})

test('a record that is touched again before the same page counts as one that differs each time', () => {
  const { volatility } = afterTouch()
  volatility.judge(page(2), at(0))
  expect(volatility.probe({ id: 2, version: 3 })).toBe(0)
  expect(volatility.judge(page(3), at(0))).toBe(true)
  expect(volatility.isVolatile).toBe(true)
})

test('another page than the one before says nothing of contents: the list has moved', () => {
  const { volatility } = afterTouch()
  expect(volatility.judge([{ id: 9, version: 1 }, ...page(2)], at(0))).toBe(false)
  expect(volatility.isVolatile).toBe(false)
})
