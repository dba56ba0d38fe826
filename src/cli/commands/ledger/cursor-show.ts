import { readCursors } from '../../../ledger/cursors.ts'
import { readSlices } from '../../../ledger/read/read-slices.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { parseStreamName } from '../stream-names.ts'

/** `sluice cursor show`: how far streams have come, and which readings are open. */
export async function cursorShowCommand(
  [word]: [string | undefined],
  { database, json = false }: CommonOptions & { readonly json?: boolean },
  { signal }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const name = parseStreamName(word)
  const [cursors, open] = await Promise.all([
    readCursors(store.database, name),
    readSlices(store.database, { ...name, status: 'open', kind: 'sync' }),
  ])
  const streams = new Map(
    [...cursors, ...open].map(({ pipeline, stream }) => [`${pipeline}.${stream}`, { pipeline, stream }]),
  )
  const rows = [...streams]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, { pipeline, stream }]) => {
      const cursor = cursors.find((one) => one.pipeline === pipeline && one.stream === stream)
      const slice = open.find((one) => one.pipeline === pipeline && one.stream === stream)
      return {
        stream: place,
        cursor: cursor?.value ?? null,
        moved: cursor?.updatedAt ?? null,
        reading: slice
          ? slice.isHeld
            ? `being read by run ${slice.run}`
            : `interrupted in run ${slice.run}, goes on with the next`
          : null,
      }
    })
  if (json) console.log(JSON.stringify(rows))
  else if (rows.length === 0) console.log('No stream has a cursor yet.')
  else printTable(rows.map(({ moved, ...row }) => ({ ...row, moved: moved ? formatTime(moved) : '' })))
  return 0
}
