import { expect, test } from '@jest/globals'
import type { Position } from '../../../src/model/page.ts'
import { readPages } from '../read-pages.ts'
import { ids, lastPosition } from './child-shapes.ts'
import { ALL_NOTES, deepList } from './deep-children.ts'

test.each(['chained', 'nested'] as const)(
  'children of the fifth level (%s) take path, query, body and form from their parents, and resume at any page',
  async (shape) => {
    await using list = await deepList()
    const flow = list[shape]
    const whole = await readPages(flow, { restart: 'slice' })
    expect(ids(whole)).toEqual(ALL_NOTES)
    for (let stop = 1; stop < whole.length; stop++) {
      const read = whole.slice(0, stop)
      const committed = read.slice(0, read.findLastIndex(({ position }) => position !== undefined) + 1)
      const position: Position = lastPosition(committed)
      const rest = await readPages(flow, { position, restart: 'slice' })
      expect({ stop, ids: [...ids(committed), ...ids(rest)] }).toEqual({ stop, ids: ALL_NOTES })
      expect(rest.at(-1)).toMatchObject({ position: { end: true }, completeness: { grade: 'ended' } })
    }
  },
)
