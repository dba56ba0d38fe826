import { readMovedCursors } from '../../../ledger/cursors.ts'
import { countParentCursors } from '../../../ledger/parent-cursors.ts'
import { tryPipelines } from '../../../run/find-pipelines.ts'
import { exportCursors } from '../../../run/move-cursors.ts'
import { openStore } from '../../../run/open-store.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { accountsOf, parseStreamName, requireKnownName } from '../stream-names.ts'

/** `sluice cursor export`: prints cursors as JSON, for `sluice cursor import` on another ledger. */
export async function cursorExportCommand(
  [word]: [string | undefined],
  { database }: CommonOptions,
  context: CommandContext,
): Promise<number> {
  const { signal } = context
  const name = parseStreamName(word)
  await using store = await openStore({ database, signal })
  await requireKnownName(store.database, name)
  const [cursors, lists, { found }] = await Promise.all([
    readMovedCursors(store.database, name),
    countParentCursors(store.database, name),
    tryPipelines(word === undefined ? [] : [word], accountsOf({ database }, context)),
  ])
  console.log(JSON.stringify(exportCursors(cursors, found), undefined, 2))
  for (const { pipeline, stream, lists: count } of lists)
    console.error(
      `${pipeline}.${stream}: the cursors of ${formatCount(count, 'parent')} are not exported; ` +
        'elsewhere its lists are read from their start',
    )
  return 0
}
