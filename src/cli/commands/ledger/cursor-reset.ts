import { readCursors } from '../../../ledger/cursors.ts'
import { countParentCursors } from '../../../ledger/parent-cursors.ts'
import { readSlices } from '../../../ledger/read/read-slices.ts'
import { readFullReads } from '../../../ledger/slices/full-read.ts'
import { UsageError } from '../../../model/errors.ts'
import { author } from '../../../run/author.ts'
import { changeCursor, closedText } from '../../../run/change-cursor.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'

/** `sluice cursor reset`: removes cursors. Needs only the ledger, because the pipeline file may be gone. */
export async function cursorResetCommand(
  [word]: [string],
  { database, why, stream: given = [] }: CommonOptions & { readonly stream?: readonly string[]; readonly why?: string },
  { signal }: CommandContext,
): Promise<number> {
  const { pipeline = '', stream } = parseStreamName(word)
  await using store = await openStore({ database, signal })
  const [cursors, lists, open, full] = await Promise.all([
    readCursors(store.database, { pipeline }),
    countParentCursors(store.database, { pipeline }),
    readSlices(store.database, { pipeline, status: 'open', kind: 'sync', limit: 10_000 }),
    readFullReads(store.database, { pipeline }),
  ])
  const resettable = [...new Set([...cursors, ...lists, ...open, ...full].map((one) => one.stream))].toSorted()
  const named = [...given, ...(stream === undefined ? [] : [stream])]
  const unknown = named.filter((one) => !resettable.includes(one))
  if (resettable.length === 0) await requireKnownName(store.database, { pipeline })
  if (unknown.length > 0)
    throw new UsageError(
      `${pipeline}: there is no cursor and no interrupted read of ${unknown.join(', ')}. ` +
        `Streams that have one: ${resettable.join(', ') || 'none'}. See: sluice cursor show`,
    )
  for (const one of named.length > 0 ? named : resettable) {
    const before = cursors.find((cursor) => cursor.stream === one)
    const closed = await changeCursor(store.database, { pipeline, stream: one }, { by: author(why), signal })
    console.log(
      `${pipeline}.${one}: the next run reads from the start${before ? ` (the cursor was ${before.value})` : ''}` +
        closedText(closed),
    )
  }
  if (resettable.length === 0) console.log(`${pipeline} has no cursor to reset`)
  return 0
}
