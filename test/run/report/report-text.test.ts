import { describe, expect, test } from '@jest/globals'
import type { Report, StreamReport } from '../../../src/model/report.ts'
import { reportText } from '../../../src/run/report/report-text.ts'
import { summaryLine } from '../../../src/run/report/summary-line.ts'

const counts = {
  fetched: 1_234_567,
  expanded: 0,
  filtered: 0,
  duplicate: 0,
  deleted: 0,
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

const line = (one: Partial<StreamReport>): string =>
  summaryLine({
    run: '1',
    pipeline: 'p',
    kind: 'sync',
    status: 'done',
    startedAt: '',
    ms: 61_500,
    rowsPerSecond: 1,
    peakMemoryBytes: 1,
    streams: { customers: { ...stream, ...one } },
  })

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

  test('names the grade of a reading, and says done only if it is proven', () => {
    expect(report({ completeness: { grade: 'counted', reasons: [] } })).toMatch(
      /read from the start, counted, 1 request\n[^]*p: done in 1 min 2 s/,
    )
    const text = report({ completeness: { grade: 'open', reasons: ['odd'] }, warnings: ['odd'] })
    expect(text).toMatch(/read from the start, open, 1 request\n +warning: odd\n/)
    expect(text).toMatch(/^p: ended in 1 min 2 s, not proven complete: customers,/m)
    expect(text).toMatch(/\nRecords may be missing: see the warnings\.\nsluice status shows this .+\.$/)
    expect(text).not.toContain('done')
    for (const textLine of text.split('\n')) expect(textLine.length).toBeLessThanOrEqual(80)
  })

  test('says what a stream has cost the database, if that was measured', () => {
    const receipt = {
      inserted: 0,
      updated: 1_000,
      hotUpdated: 900,
      deleted: 1,
      dead: 1_001,
      tableBytes: { before: 80 << 20, after: 92 << 20 },
      indexBytes: { before: 20 << 20, after: 21 << 20 },
      serverWalBytes: 12 << 20,
    }
    const text = report({ receipt })
    expect(text).toMatch(
      /^ +cost: 1,001 dead rows, table 80 MB to 92 MB, indexes 20 MB to 21 MB,\n +12 MB of WAL \(the whole server\)$/m,
    )
    expect(report({})).not.toContain('cost:')
  })

  test('counts the windows of a backfill that are not proven complete', () => {
    const backfill = {
      id: '7',
      from: 'a',
      to: 'b',
      window: '1d',
      zone: 'UTC',
      windows: { total: 9, done: 5, unproven: 2, failed: 0, skipped: 0, open: 4 },
    }
    expect(report({ backfill }, { kind: 'backfill' }, 200)).toContain(
      '5 of 9 windows of 1d done, 2 of them not proven complete, 4 to read',
    )
  })

  test('of one line does not say done if a stream is not proven', () => {
    expect(line({})).toBe('p: done in 61.5 s, run 1: 1,234,567 read, 1,234,567 inserted')
    expect(line({ completeness: { grade: 'open', reasons: ['odd'] }, warnings: ['odd'] })).toBe(
      'p: ended in 61.5 s, run 1: 1,234,567 read, 1,234,567 inserted; customers: odd',
    )
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
