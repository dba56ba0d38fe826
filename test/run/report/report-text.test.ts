import { describe, expect, test } from '@jest/globals'
import type { Report, StreamReport } from '../../../src/model/report.ts'
import { reportText } from '../../../src/run/report/report-text.ts'

const counts = {
  fetched: 1_234_567,
  expanded: 0,
  filtered: 0,
  duplicate: 0,
  rejected: 0,
  parents: 0,
  inserted: 1_234_567,
  updated: 0,
  unchanged: 0,
}
const stream: StreamReport = {
  status: 'done',
  table: 't.rows',
  counts,
  resumed: false,
  requests: 1,
  retries: 0,
  waitMs: 0,
  batches: 1,
  bytes: 1,
  ms: 1,
  warnings: [],
}
const report = (one: Partial<StreamReport>, more: Partial<Report> = {}, width?: number): string =>
  reportText(
    {
      run: '1',
      pipeline: 'p',
      kind: 'sync',
      status: 'done',
      startedAt: '',
      ms: 61_500,
      rowsPerSecond: 20_000,
      peakMemoryBytes: 100 << 20,
      streams: { customers: { ...stream, ...one } },
      ...more,
    },
    width === undefined ? {} : { width },
  )

describe('a report', () => {
  test('fits 80 columns', () => {
    const text = report({
      requests: 1_000_000,
      retries: 1_000,
      waitMs: 90_000,
      cursor: '2024-01-01T00:00:00.123456Z',
      swap: { inserted: 1, updated: 2, deleted: 3 },
      counts: { ...counts, parents: 1_000, expanded: 20 },
    })
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(text).toContain('p: done in 1 min 2 s, 20,000 rows/s, 100 MB peak memory')
  })

  test('uses the width of a wider terminal', () => {
    const one = { requests: 1_000_000, retries: 1_000, waitMs: 90_000, cursor: '2024-01-01T00:00:00.123456Z' }
    const widest = (width: number): number =>
      Math.max(
        ...report(one, {}, width)
          .split('\n')
          .map((line) => line.length),
      )
    expect(widest(80)).toBeLessThanOrEqual(80)
    expect(widest(120)).toBeGreaterThan(80)
    expect(widest(120)).toBeLessThanOrEqual(120)
  })

  test('says from where a stream was read', () => {
    expect(report({})).toContain('read from the start, 1 request')
    expect(report({ since: '5', cursor: '9' })).toContain('incremental since 5, cursor 9')
    expect(report({ since: '5', cursor: '5' })).not.toContain('cursor')
    expect(report({ resumed: true })).toContain('continued an interrupted read')
    expect(report({ status: 'interrupted', cursor: '9' }, { status: 'interrupted' })).toMatch(
      /read up to 9[^]+p: interrupted after .+\nComplete batches are committed\. The next run continues .+\.$/,
    )
    expect(report({}, { kind: 'replay' })).toContain('replayed rejects')
  })

  test('says what to do about rejects', () => {
    expect(report({ counts: { ...counts, rejected: 2 } })).toMatch(
      /^ +rejected: for the reasons, sluice rejects list; /m,
    )
    expect(report({})).not.toContain('rejects list')
  })

  test('names each stream that failed, with its fault', () => {
    const text = report({ status: 'failed', error: 'GET /x answered 503', warnings: ['odd'] }, { status: 'failed' })
    expect(text).toMatch(/^ +warning: odd\n +FAILED: GET \/x answered 503$/m)
    expect(text).toContain('p: failed (customers) after')
  })
})
