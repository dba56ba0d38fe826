import { expect, test } from '@jest/globals'
import { streamSentences } from '../../src/define/describe-sentence.ts'
import { byCursor, byLinkHeader, http, onePage, path, pipeline, since } from '../../src/index.ts'

const api = http('https://api.example.com/v1')
const labels = api.get<{ id: number }[]>('/labels', { limit: 50 }).pages(byLinkHeader()).records()
const issues = api
  .get<{ data: { id: number; updated_at: string }[]; next: string }>('/issues', { since })
  .pages(byCursor('cursor', 'next'))
  .records('data')
  .incremental('updated_at')
const comments = issues.flatMap(({ id }) =>
  api
    .get<{ id: number }[]>(path`/issues/${id}/comments`)
    .pages(onePage())
    .records(),
)

const sentence = (schedule: string): string | undefined =>
  streamSentences(
    pipeline('p', {
      schedule: schedule as '* * * * *',
      streams: { labels: labels.into('p.labels', { write: 'replace' }) },
    }),
  )['labels']

test('a stream is described by a sentence', () => {
  const streams = {
    issues: issues.into('shop.issues', { key: 'id' }),
    comments: comments.into('shop.comments', { key: 'id' }),
  }
  expect(streamSentences(pipeline('shop', { streams }))).toEqual({
    issues:
      'reads GET /v1/issues of api.example.com, page by page by the cursor in next, adds only what changed since ' +
      'updated_at, merges into shop.issues by id, when you run it.',
    comments: expect.stringContaining(', reads the children of each record, merges into shop.comments by id,'),
  })
  expect(sentence('7 * * * *')).toBe(
    'reads GET /v1/labels of api.example.com, page by page by the header link, 50 at a time, reads everything each ' +
      'time, replaces the rows of p.labels, each hour.',
  )
})

test.each([
  ['*/15 * * * *', 'every 15 minutes'],
  ['30 4 * * *', 'each day at 04:30'],
  ['* * * * *', 'each minute'],
  ['0 9 * * MON', 'at 0 9 * * MON'],
  ['5,7 * * * *', 'at 5,7 * * * *'],
])('the schedule %s is told as %s', (schedule, words) => {
  expect(sentence(schedule)).toContain(`, ${words}.`)
})
