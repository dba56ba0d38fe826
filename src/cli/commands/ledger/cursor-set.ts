import { readCursors } from '../../../ledger/cursors.ts'
import { UsageError } from '../../../model/errors.ts'
import { hasOwnCursor } from '../../../model/own-cursor.ts'
import { author } from '../../../run/author.ts'
import { changeCursor, closedText } from '../../../run/change-cursor.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { openStore } from '../../../run/open-store.ts'
import { cursorKind } from '../../../value/cursor-order.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { accountsOf, parseStreamName, selectOne } from '../stream-names.ts'

/** `sluice cursor set`: refuses a stream without a cursor, and a value of another kind than the current one. */
export async function cursorSetCommand(
  [word, value]: [string, string],
  { database, why }: CommonOptions & { readonly why?: string },
  context: CommandContext,
): Promise<number> {
  const { signal } = context
  const { pipeline, stream } = parseStreamName(word)
  if (pipeline === undefined || stream === undefined)
    throw new UsageError(`${word}: a cursor belongs to one stream: name it, as in ${word}.customers`)
  const found = selectOne(await findPipelines([word], accountsOf({ database }, context)))
  const recipe = found.pipeline.streams[stream]?.recipe
  if (!recipe || (!hasOwnCursor(recipe) && !recipe.stages.some(({ type }) => type === 'flatMap')))
    throw new UsageError(
      `${word} has no cursor, because its definition has no .incremental(…): each run reads everything`,
    )
  await using store = await openStore({ database, signal })
  const [before] = await readCursors(store.database, { pipeline, stream })
  if (before && cursorKind(before.value) !== cursorKind(value))
    throw new UsageError(
      `${word}: the cursor is ${KINDS[cursorKind(before.value)]} (${before.value}), ` +
        `and ${value} is ${KINDS[cursorKind(value)]}: write it as the API does`,
    )
  const closed = await changeCursor(store.database, { pipeline, stream }, { value, by: author(why), signal })
  console.log(
    `${word}: the next run reads from ${value}${before ? ` (it was ${before.value})` : ''}` + closedText(closed),
  )
  return 0
}

const KINDS = { instant: 'a time', number: 'a number', text: 'text' } as const
