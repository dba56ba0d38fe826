import { findOverlapping } from '../../ledger/backfills.ts'
import { readBeginnings } from '../../ledger/read/read-slices.ts'
import { UsageError } from '../../model/errors.ts'
import { instantOf } from '../../source/cursor/bound-value.ts'
import type { StreamContext } from '../stream-context.ts'

/**
 * Throws if records of this backfill may be stored twice. Append without a key stores a record again each time that it
 * is read, by syncs and by other backfills.
 */
export async function rejectOverlap(context: StreamContext, backfill: string, to: string): Promise<void> {
  const { database, recipe, table, streamName, readSignal } = context
  if (table.write !== 'append' || table.key.length > 0) return
  const { unit, startFrom } = recipe.incremental ?? {}
  const end = Date.parse(to) / 1_000
  const begins = (await readBeginnings(database, context, readSignal)).map((since) =>
    secondsOf(since ?? startFrom, unit),
  )
  const first = Math.min(...begins)
  if (begins.length > 0 && end > first) {
    const start = Number.isFinite(first) ? `from ${new Date(first * 1_000).toISOString()} on` : 'from the beginning'
    throw new UsageError(
      `${streamName}: syncs store its records ${start}, and without a key ${table.name} would have them twice: ` +
        `end the backfill there, ${GIVE_A_KEY}`,
    )
  }
  if (begins.length === 0 && end > secondsOf(startFrom, unit)) {
    const start = startFrom === undefined ? 'from the beginning' : `from ${startFrom} on`
    context.warn(
      `no run has read this stream yet, and the first one reads it ${start}: ` +
        'without a key it would store these records again. ' +
        `Before that run: sluice cursor set ${streamName} ${to}`,
    )
  }
  const others = await findOverlapping(database, backfill, readSignal)
  if (others.length === 0) return
  const [have, those] = others.length === 1 ? ['has', 'that backfill'] : ['have', 'those backfills']
  throw new UsageError(
    `${streamName}: ${others.length === 1 ? 'backfill' : 'backfills'} ${others.join(', ')} ${have} stored records ` +
      `of the same time, and without a key ${table.name} would have them twice: ` +
      `choose another range, or --only missing with the windows of ${those}, ${GIVE_A_KEY}`,
  )
}

const GIVE_A_KEY = 'or give the table a key, so that nothing is stored twice'

/** Returns an instant in seconds. The beginning, and any text that is no instant, is before everything. */
function secondsOf(text: string | number | bigint | undefined, unit: 's' | 'ms' | undefined): number {
  const moment = text === undefined ? undefined : instantOf(String(text), unit)
  return moment ? moment.seconds + Number(`0.${moment.fraction || '0'}`) : -Infinity
}
