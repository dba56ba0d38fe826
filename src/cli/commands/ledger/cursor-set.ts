import { readCursors } from '../../../ledger/cursors.ts'
import { cursorKind } from '../../../value/cursor-order.ts'
import { UsageError } from '../../../model/errors.ts'
import { changeCursor } from '../../../run/change-cursor.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { parseStreamName } from '../stream-names.ts'

/**
 * `sluice cursor set`: a name that no pipeline has, or a value of another kind, would be stored and never used; so
 * neither is.
 */
export async function cursorSetCommand(
  [word, value]: [string, string],
  { database }: CommonOptions,
  { signal }: CommandContext,
): Promise<number> {
  const { pipeline, stream } = parseStreamName(word)
  if (pipeline === undefined || stream === undefined)
    throw new UsageError(`${word}: a cursor belongs to one stream: name it, as in ${word}.customers`)
  const [found] = await findPipelines([word])
  const { incremental, stages } = found!.pipeline.streams[stream]!.recipe
  if (!incremental && !stages.some(({ type }) => type === 'flatMap'))
    throw new UsageError(`${word}: it has no cursor, since its chain has no .incremental(…): every run reads all of it`)
  await using store = await openStore({ database, signal })
  const [before] = await readCursors(store.database, { pipeline, stream })
  if (before && cursorKind(before.value) !== cursorKind(value))
    throw new UsageError(
      `${word}: the cursor is ${kinds[cursorKind(before.value)]} (${before.value}), and ${value} is ${kinds[cursorKind(value)]}: write it as the API does`,
    )
  const closed = await changeCursor(store.database, { pipeline, stream }, { value, signal })
  console.log(
    `${word}: the next run reads from ${value}${before ? ` (it was ${before.value})` : ''}${closed > 0 ? '; an interrupted reading was closed' : ''}`,
  )
  return 0
}

const kinds = { instant: 'a time', number: 'a number', text: 'text' } as const
