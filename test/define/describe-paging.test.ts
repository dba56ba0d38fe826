import { expect, test } from '@jest/globals'
import { describePipeline, http, onePage, pipeline, since } from '../../src/index.ts'

const api = http('https://forum.example/api')

test('the lookback is shown as it is given, and the one that merged times get without being asked', () => {
  const list = api.get<{ id: number; at: string; count: number }[]>('/list', { since }).pages(onePage()).records()
  const streams = {
    a: list.incremental('at').into('l.a', { key: 'id' }),
    b: list.incremental('count', { unit: 's' }).into('l.b', { key: 'id' }),
    c: list.incremental('at', { lookback: 0 }).into('l.c', { key: 'id' }),
    d: list.incremental('count', { startFrom: 5 }).into('l.d', { key: 'id' }),
    e: list.incremental('at').into('l.e', { write: 'append' }),
  }
  const cursors = describePipeline(pipeline('l', { streams })).match(/cursor .*/g)
  expect(cursors).toEqual([
    'cursor   at, 1m again if it is a time',
    'cursor   count, in s, 1m again',
    'cursor   at, no lookback',
    'cursor   count, from 5',
    'cursor   at',
  ])
})
