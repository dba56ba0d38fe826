import { coverOpenReadings, type CoverOptions } from '../../ledger/slices/cover-open.ts'
import { hasToken } from '../../model/own-cursor.ts'
import type { StreamContext } from '../stream-context.ts'

/** Notes which open readings of the stream this run has covered: it read the same again, with proof. */
export async function noteCovered(
  { database, pipeline, stream, recipe, run, writeSignal }: StreamContext,
  { rangeRead, isAtEnd = false }: Pick<CoverOptions, 'rangeRead' | 'isAtEnd'> = {},
): Promise<void> {
  await coverOpenReadings(database, {
    pipeline,
    stream,
    run: run.id,
    rangeRead,
    isAtEnd,
    hasOrder: !hasToken(recipe),
    signal: writeSignal,
  })
}
