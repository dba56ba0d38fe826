import { expect, test } from '@jest/globals'
import { Turns } from '../../../src/run/distribute/turns.ts'

const version = '0123456789ab'
/** The queue of a pipeline's streams, or of the windows of one stream. */
const queue = (pipeline: string, stream?: string): string =>
  [pipeline, version, ...(stream === undefined ? [] : [stream])].join('.')

/** Takes pieces one after the other from queues that always have work. Each ends before the next one is taken. */
function taken(queues: readonly string[], count: number, turns = new Turns()): string[] {
  return Array.from({ length: count }, () => {
    const [first = ''] = turns.order(queues)
    using _ = turns.take(first)
    return first.replace(`.${version}`, '')
  })
}

test('pipelines come in turn, and each of a hundred accounts has its share of one pipeline only', () => {
  const accounts = Array.from({ length: 100 }, (_, index) => queue(`shops/n${index + 100}`))
  const [billing, forum] = [queue('billing'), queue('forum')]
  expect(taken([...accounts, forum, billing], 9)).toEqual([
    'billing',
    'forum',
    'shops/n100',
    'billing',
    'forum',
    'shops/n101',
    'billing',
    'forum',
    'shops/n102',
  ])
})

test('streams come before windows, but of eight pieces one is a window', () => {
  const queues = [queue('shop', 'orders'), queue('zoo')]
  expect(taken(queues, 10)).toEqual([...Array.from({ length: 7 }, () => 'zoo'), 'shop.orders', 'zoo', 'zoo'])
})

test('windows of the streams of one pipeline come in turn', () => {
  const queues = [queue('shop', 'orders'), queue('shop', 'items'), queue('zoo', 'animals')]
  expect(taken(queues, 6)).toEqual([
    'shop.items',
    'zoo.animals',
    'shop.orders',
    'zoo.animals',
    'shop.items',
    'zoo.animals',
  ])
})

test('the pipeline comes first of which fewer pieces are under way', () => {
  const turns = new Turns()
  const [slow, quick] = [queue('slow'), queue('quick')]
  const first = turns.take(slow)
  turns.take(slow)
  // Both have had their turn; of `quick` nothing is under way as each of its pieces ends at once.
  expect(taken([slow, quick], 3, turns)).toEqual(['quick', 'quick', 'quick'])
  turns.take(quick)
  first[Symbol.dispose]()
  expect(turns.order([slow, quick])).toEqual([slow, quick])
})

test('all queues are asked, as another worker may have been faster', () => {
  const queues = [queue('shop', 'orders'), queue('shops/a'), queue('shops/b'), queue('zoo')]
  expect(new Turns().order(queues)).toEqual([queue('shops/a'), queue('shops/b'), queue('zoo'), queue('shop', 'orders')])
})
