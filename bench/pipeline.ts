import { byCursor, byOffset, http, path, pipeline, source } from '../src/index.ts'
import type { Issue } from './records.ts'

const {
  BENCH_API = 'http://127.0.0.1:1',
  BENCH_PAGE = '1000',
  BENCH_RECORDS = '1000000',
  BENCH_WRITE = 'merge',
  BENCH_SHAPE = 'one',
  BENCH_PAGING = 'cursor',
} = process.env
const records = Number(BENCH_RECORDS)
const api = http(BENCH_API)

/** Records of a range of numbers, with one `map` that renames and derives, as users write it. */
const issues = (from: number, to: number) =>
  api
    .get<{ data: Issue[]; next: string | null }>(path`/${BENCH_PAGE}/${to}`, { after: from })
    .pages(byCursor('after', 'next'))
    .records('data')
    .map(({ number, ...issue }) => ({ ...issue, issue_no: number, is_bug: issue.labels.includes('bug') }))

/** All records by offsets, with or without the overlap of pages. */
const byOffsets = (overlap: boolean) =>
  api
    .get<{ data: Issue[]; total: number }>('/offset', { limit: Number(BENCH_PAGE) })
    .pages(byOffset('offset', { limit: 'limit', total: 'total', overlap }))
    .records('data')
    .map(({ number, ...issue }) => ({ ...issue, issue_no: number, is_bug: issue.labels.includes('bug') }))

const whole = BENCH_PAGING === 'cursor' ? issues(0, records) : byOffsets(BENCH_PAGING === 'overlap')

/**
 * Parents with ten pages of 1,000 records each. With more records there are more parents, and nothing else changes.
 */
const parents = source<{ from: number; to: number }>(async function* () {
  const part = 10_000
  yield {
    records: Array.from({ length: Math.ceil(records / part) }, (_, n) => ({
      from: n * part,
      to: Math.min(records, (n + 1) * part),
    })),
    position: 'all',
  }
})

const shapes = {
  one: () => ({
    issues:
      BENCH_WRITE === 'append'
        ? whole.into('bench.issues', { write: 'append' })
        : whole.into('bench.issues', { key: 'id' }),
  }),
  five: () =>
    Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`issues_${n}`, whole.into(`bench.issues_${n}`, { key: 'id' })])),
  children: () => ({
    issues: parents.flatMap(({ from, to }) => issues(from, to), { concurrency: 8 }).into('bench.issues', { key: 'id' }),
  }),
}

export default pipeline('bench', { streams: shapes[BENCH_SHAPE as keyof typeof shapes]() })
