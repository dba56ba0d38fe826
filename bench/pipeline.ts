import { byCursor, http, pipeline } from '../src/index.ts'
import type { Issue } from './records.ts'

const { BENCH_API = 'http://127.0.0.1:1', BENCH_PAGE = '1000', BENCH_RECORDS = '', BENCH_WRITE = 'merge' } = process.env

/** One `map` that renames and derives, as users write it. */
const issues = http(BENCH_API as 'http://x')
  .get<{ data: Issue[]; next: string | null }>(`/${BENCH_PAGE}/${BENCH_RECORDS}`)
  .pages(byCursor('after', 'next'))
  .records('data')
  .map(({ number, ...issue }) => ({ ...issue, issue_no: number, is_bug: issue.labels.includes('bug') }))

export default pipeline('bench', {
  streams: {
    issues: BENCH_WRITE === 'append' ? issues.into('bench.issues', { write: 'append' }) : issues.into('bench.issues', { key: 'id' }),
  },
})
