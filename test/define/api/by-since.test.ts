import { expect, test } from '@jest/globals'
import {
  byPage,
  bySince,
  describePipeline,
  fromData,
  http,
  onePage,
  pipeline,
  since,
  toData,
  type PipelineData,
} from '../../../src/index.ts'
import type { Paging } from '../../../src/model/request.ts'

interface Row {
  id: number
  at: string
}
const listOf = (paging: Paging<Row[]>, query: Parameters<ReturnType<typeof http>['get']>[1] = { since }) =>
  http('https://api.example').get<Row[]>('/list', query).pages(paging).records()
const any = (value: unknown): never => value as never

test('bySince is data, with a paginator within and without one', () => {
  expect(bySince()).toEqual({ type: 'since' })
  expect(bySince({ field: 'at', limit: 'rows', exclusive: false })).toEqual({
    type: 'since',
    field: 'at',
    limit: 'rows',
  })
  expect(bySince(byPage('page'), { exclusive: true })).toEqual({
    type: 'since',
    within: { type: 'page', parameter: 'page', start: 1 },
    exclusive: true,
  })
})

test.each([
  ['itself within', () => bySince(bySince()), 'give the paginator that reads on'],
  ['one page within', () => bySince(onePage()), "such as byPage('page')"],
  ['an empty name', () => bySince({ field: '' }), 'a name is missing'],
  ['exclusive as a text', () => bySince({ exclusive: any('yes') }), 'exclusive is true or false, not "yes"'],
  [
    'no field',
    () => listOf(bySince()).into('a.b', { key: 'id' }),
    '.into("a.b"): bySince() needs the field that the list is ordered by. Add .incremental(',
  ],
  [
    'a descending order',
    () => listOf(bySince()).incremental('at', { order: 'descending' }).into('a.b', { key: 'id' }),
    "needs an ascending list, but .incremental() says order: 'descending'",
  ],
  [
    'another field than the cursor',
    () =>
      listOf(bySince({ field: 'id' }))
        .incremental('at')
        .into('a.b', { key: 'id' }),
    "in the order of 'id', and .incremental() follows another field",
  ],
  [
    'a request without since',
    () => listOf(bySince(), { sort: 'at' }).incremental('at').into('a.b', { key: 'id' }),
    'sends the value of the last record as `since`, but the request has none',
  ],
])('bySince refuses %s', (_, define, message) => {
  expect(define).toThrow(message)
})

test('a stream by bySince is described, and survives as data', () => {
  const streams = {
    a: listOf(bySince()).incremental('at').into('l.a', { key: 'id' }),
    b: listOf(bySince(byPage('page', { max: 9 }), { field: 'at', exclusive: true })).into('l.b', { write: 'replace' }),
    c: listOf(bySince(), ({ since: from }) => ({ from }))
      .incremental('at')
      .into('l.c', { key: 'id' }),
  }
  const lists = pipeline('l', { streams })
  expect(describePipeline(lists).match(/pages .*/g)).toEqual([
    "pages    since = the cursor's field of the last record",
    'pages    since = at of the last record, less one value, and within one value: page=1 and up, to 9',
    "pages    since = the cursor's field of the last record",
  ])
  const { a, b } = streams
  const data = toData(pipeline('l', { streams: { a, b } }))
  expect(fromData(JSON.parse(JSON.stringify(data)) as PipelineData).streams['b']?.recipe).toEqual(b.recipe)
})
