import { expect, test } from '@jest/globals'
import { byCursor, byPage, describePipeline, fromData, http, inHeader, pipeline, toData } from '../../../src/index.ts'

test('a header in place of a path is shown and is data', async () => {
  const rows = http('https://forum.example/api').get<{ id: string }[]>('/x')
  const byHeaders = pipeline('p', {
    streams: {
      a: rows
        .pages(byPage('page', { pages: inHeader('X-Total-Pages') }))
        .records()
        .into('a.a', { key: 'id' }),
      b: rows
        .pages(byCursor(inHeader('x-after'), inHeader('x-next'), { more: inHeader('x-more') }))
        .records()
        .into('a.b', { key: 'id' }),
    },
  })
  const again = fromData(JSON.parse(JSON.stringify(toData(byHeaders))) as ReturnType<typeof toData>)
  expect(toData(again)).toEqual(toData(byHeaders))
  expect(describePipeline(again)).toContain('pages    page=1 and up, header x-total-pages of them')
  expect(describePipeline(again)).toContain('pages    header x-after = header x-next, while header x-more')
  expect(() => byCursor('after', inHeader(' '))).toThrow('inHeader(): a name is missing')
})
