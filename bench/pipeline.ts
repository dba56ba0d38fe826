import { byCursor, http, path, pipeline, source } from '../src/index.ts'
import type { Issue } from './records.ts'

const {
  BENCH_API = 'http://127.0.0.1:1',
  BENCH_PAGE = '1000',
  BENCH_RECORDS = '1000000',
  BENCH_WRITE = 'merge',
  BENCH_SHAPE = 'one',
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

const whole = issues(0, records)

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
