import { authorText, readLastCursorChanges, type LastChange } from '../../../ledger/changes.ts'
import { readCursors } from '../../../ledger/cursors.ts'
import { countParentCursors } from '../../../ledger/parent-cursors.ts'
import { readSlices } from '../../../ledger/read/read-slices.ts'
import { readFullReads, type FullRead } from '../../../ledger/slices/full-read.ts'
import { openStore } from '../../../run/open-store.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'

/** `sluice cursor show`: shows the cursors of streams, and which reads are open. */
export async function cursorShowCommand(
  [word]: [string | undefined],
  { database, json = false }: CommonOptions & { readonly json?: boolean },
  { signal }: CommandContext,
): Promise<number> {
  const name = parseStreamName(word)
  await using store = await openStore({ database, signal })
  const [changes, cursors, lists, open, full] = await Promise.all([
    readLastCursorChanges(store.database, name),
    readCursors(store.database, name),
    countParentCursors(store.database, name),
    readSlices(store.database, { ...name, status: 'open', kind: 'sync' }),
    readFullReads(store.database, name),
  ])
  const rows = [...new Set([...cursors, ...lists, ...open, ...full].map(nameOf))].toSorted().map((stream) => {
    const cursor = cursors.find((one) => nameOf(one) === stream)
    const ofLists = lists.find((one) => nameOf(one) === stream)
    const slice = open.find((one) => nameOf(one) === stream)
    const everything = full.find((one) => nameOf(one) === stream)
    return {
      stream,
      cursor: cursor?.value ?? (ofLists ? `one for each of ${formatCount(ofLists.lists, 'parent')}` : null),
      moved: cursor?.updatedAt ?? ofLists?.updatedAt ?? null,
      changed: changedText(changes.find((one) => nameOf(one) === stream)),
      reading: (slice && openReadText(slice)) ?? (everything && fullReadText(everything)) ?? null,
    }
  })
  if (rows.length === 0) await requireKnownName(store.database, name)
  if (json) console.log(JSON.stringify(rows))
  else if (rows.length === 0)
    console.log(word === undefined ? 'No stream has a cursor yet.' : `${word} has no cursor yet.`)
  else {
    const hasChanges = rows.some(({ changed }) => changed !== null)
    printTable(
      rows.map(({ moved, changed, ...row }) => ({
        ...row,
        moved: moved ? formatTime(moved) : '',
        ...(hasChanges && { 'changed by hand': changed }),
      })),
      { optional: ['changed by hand'] },
    )
  }
  return 0
}

const changedText = (change: LastChange | undefined): string | null =>
  change ? `${change.change}, ${authorText(change)}` : null

const nameOf = ({ pipeline, stream }: { readonly pipeline: string; readonly stream: string }): string =>
  `${pipeline}.${stream}`

const fullReadText = ({ startedBy, readTo }: FullRead): string =>
  `run ${startedBy} was to read everything${readTo === undefined ? '' : ` and came to ${readTo}`}, ` +
  'the next run goes on'

const openReadText = ({ isHeld, run }: { readonly isHeld: boolean; readonly run: string }): string =>
  isHeld ? `run ${run} is reading` : `interrupted in run ${run}, continues in the next run`
