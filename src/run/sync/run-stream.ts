import { readRejects } from '../../ledger/read/read-rejects.ts'
import { readSlices } from '../../ledger/read/read-slices.ts'
import type { StreamReport } from '../../model/report.ts'
import { messageOf } from '../../value/error.ts'
import { formatNumber } from '../../value/format.ts'
import { indexTable } from '../index-table.ts'
import { ReceiptMeter } from '../report/receipt.ts'
import type { StreamContext } from '../stream-context.ts'
import { syncStream, type SyncStreamOptions } from './sync-stream.ts'

/** Fewer records than this are often missing in an incremental run without a reason to warn. */
const SILENCE_THRESHOLD = 100

/** Runs one stream and returns its report. Never throws: a stream that fails must not stop the others. */
export async function runStream(stream: StreamContext, options: SyncStreamOptions): Promise<StreamReport> {
  try {
    await openReceipt(stream)
    const busy = await syncStream(stream, options)
    if (busy) {
      stream.warn(`not run: run ${busy.run} is reading this stream`)
      return stream.tally.report('not run')
    }
    await warnOfRejects(stream)
    stream.warnIfOpen()
    await warnOfSilence(stream)
    await indexTable(stream)
    await closeReceipt(stream)
    return stream.tally.report('done')
  } catch (error) {
    await closeReceipt(stream)
    return stream.fail(error)
  }
}

/** Nothing that the stream does depends on its receipt, so a database that does not give it is no failure. */
async function openReceipt(stream: StreamContext): Promise<void> {
  if (!stream.hasReceipt) return
  try {
    stream.receipt = await ReceiptMeter.open(stream.database, stream.table, stream.readSignal)
  } catch (error) {
    stream.readSignal.throwIfAborted()
    stream.warn(noReceipt(error))
  }
}

async function closeReceipt(stream: StreamContext): Promise<void> {
  try {
    stream.tally.receipt(await stream.receipt?.close(stream.writeSignal))
  } catch (error) {
    stream.warn(noReceipt(error))
  }
}

const noReceipt = (error: unknown): string => `the report has no receipt: ${messageOf(error)}`

/** Warns if all records were rejected. The rejects are within `maxRejects`, so the run does not fail. */
export async function warnOfRejects(stream: StreamContext): Promise<void> {
  const { rejected, filtered, deleted, inserted, updated, unchanged, duplicate } = stream.tally.counts
  if (rejected === 0 || inserted + updated + unchanged + duplicate > 0) return
  const which = filtered + deleted > 0 ? ' that passed the filters' : ''
  const all = rejected === 1 ? `the only record${which} was` : `all ${formatNumber(rejected)} records${which} were`
  const { database, pipeline, run } = stream
  const [first] = await readRejects(database, { pipeline, stream: stream.stream, run: run.id, limit: 1 })
  const because = first ? ` (${run.context.secrets.hide(first.reason)})` : ''
  stream.warn(
    `nothing was stored: ${all} rejected${because}. Reasons: sluice rejects list ${stream.streamName}; ` +
      `after a mend: sluice rejects replay ${stream.streamName}`,
  )
}

/** Warns if nothing was read and the run before read many records: the API may have changed. */
async function warnOfSilence(context: StreamContext): Promise<void> {
  const { database, pipeline, stream, tally } = context
  if (tally.counts.fetched + tally.counts.parents > 0) return
  const [now, before] = await readSlices(database, { pipeline, stream, kind: 'sync', status: 'done', limit: 2 })
  // The size of a first, full reading says nothing about the size of an incremental one.
  if (!now || !before || (now.since === undefined) !== (before.since === undefined)) return
  const last = before.counts.fetched + before.counts.parents
  if (last < (now.since === undefined ? 1 : SILENCE_THRESHOLD)) return
  const records = last === 1 ? '1 record' : `${formatNumber(last)} records`
  context.warn(`nothing was read, and the run before read ${records}. Check that the API still returns them`)
}
