import type { PieceRecord } from '../../ledger/pieces.ts'
import { addChildren } from '../../model/counts.ts'
import type { StreamReceipt, StreamReport } from '../../model/report.ts'
import { defined } from '../../value/defined.ts'

/**
 * Returns the report of a stream that several attempts have read, as one run would have given it. `last` is that of the
 * newest attempt. What was committed is counted in the ledger. Requests, bytes, waits and warnings of an attempt that
 * was killed are lost with its report.
 */
export function joinAttempts(
  last: StreamReport,
  stream: string,
  { attempts, ms, earlier, read }: PieceRecord,
): StreamReport {
  // An attempt without a report, as one that was killed, may have read too.
  const hasReadUnseen = read !== undefined && last.batches === 0
  if (attempts < 2 && !hasReadUnseen) return last
  const reports = [...earlier.flatMap(({ streams }) => streams[stream] ?? []), last]
  const sum = (of: (report: StreamReport) => number | undefined): number =>
    reports.reduce((total, report) => total + (of(report) ?? 0), 0)
  const skipped = sum((report) => report.skipped)
  const mirroredRows = sum((report) => report.mirroredRows)
  const { receipt: ofLast, since: _, completeness: __, ...rest } = last
  const receipts = reports.flatMap(({ receipt }) => receipt ?? [])
  const isReceiptWhole = ofLast !== undefined && receipts.length === attempts
  const warnings = new Set(reports.flatMap((report) => report.warnings))
  if (ofLast && !isReceiptWhole) warnings.add('the report has no receipt: a process that read a part of it has ended')
  return {
    ...rest,
    // The newest attempt was not allowed to start, or was stopped before it read. Another one has read before it.
    status: last.status === 'not run' && read ? 'interrupted' : last.status,
    ...(read && { counts: read.counts, batches: read.batches }),
    resumed: reports.some(({ resumed }) => resumed),
    requests: sum(({ requests }) => requests),
    retries: sum(({ retries }) => retries),
    ...(skipped > 0 && { skipped }),
    waitMs: sum(({ waitMs }) => waitMs),
    bytes: sum(({ bytes }) => bytes),
    ms: Math.max(ms, last.ms),
    warnings: [...warnings],
    ...defined({
      since: read ? read.since : last.since,
      cursor: last.cursor ?? earlier.at(-1)?.streams[stream]?.cursor,
      children: addChildren(...reports.map(({ children }) => children)),
      mirroredRows: mirroredRows > 0 ? mirroredRows : last.mirroredRows,
      deletedRows: reports.findLast(({ deletedRows }) => deletedRows)?.deletedRows,
      completeness: read ? read.completeness : last.completeness,
      receipt: isReceiptWhole ? receipts.reduce(addReceipts) : undefined,
    }),
  }
}

/** Adds what a later attempt has cost. */
const addReceipts = (before: StreamReceipt, after: StreamReceipt): StreamReceipt => ({
  inserted: before.inserted + after.inserted,
  updated: before.updated + after.updated,
  hotUpdated: before.hotUpdated + after.hotUpdated,
  deleted: before.deleted + after.deleted,
  dead: before.dead + after.dead,
  tableBytes: { before: before.tableBytes.before, after: after.tableBytes.after },
  indexBytes: { before: before.indexBytes.before, after: after.indexBytes.after },
  serverWalBytes: before.serverWalBytes + after.serverWalBytes,
})
