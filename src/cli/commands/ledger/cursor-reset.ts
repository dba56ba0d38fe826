import { readCursors } from '../../../ledger/cursors.ts'
import { readSlices } from '../../../ledger/read/read-slices.ts'
import { UsageError } from '../../../model/errors.ts'
import { changeCursor } from '../../../run/change-cursor.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { parseStreamName } from '../stream-names.ts'

/** `sluice cursor reset`: by the ledger alone, since the pipeline may be gone by now. */
export async function cursorResetCommand(
  [word]: [string],
  { database, stream: given = [] }: CommonOptions & { readonly stream?: readonly string[] },
  { signal }: CommandContext,
): Promise<number> {
  const { pipeline = '', stream } = parseStreamName(word)
  await using store = await openStore({ database, signal })
  const [cursors, open] = await Promise.all([
    readCursors(store.database, { pipeline }),
    readSlices(store.database, { pipeline, status: 'open', kind: 'sync', limit: 10_000 }),
  ])
  const known = [...new Set([...cursors, ...open].map((one) => one.stream))].toSorted()
  const asked = [...given, ...(stream === undefined ? [] : [stream])]
  const unknown = asked.filter((one) => !known.includes(one))
  const names = known.length === 0 ? 'nothing of it is known' : `it has ${known.join(', ')}`
  if (unknown.length > 0)
    throw new UsageError(
      `${pipeline}: there is neither a cursor nor an interrupted reading of ${unknown.join(', ')} to forget; ${names}. See: sluice cursor show`,
    )
  for (const one of asked.length > 0 ? asked : known) {
    const before = cursors.find((cursor) => cursor.stream === one)
    const closed = await changeCursor(store.database, { pipeline, stream: one }, { signal })
    console.log(
      `${pipeline}.${one}: the next run reads from the very beginning${before ? ` (the cursor was ${before.value})` : ''}${closed > 0 ? '; an interrupted reading was closed' : ''}`,
    )
  }
  if (known.length === 0) console.log(`${pipeline}: there is no cursor to forget`)
  return 0
}
