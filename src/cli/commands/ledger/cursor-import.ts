import { text } from 'node:stream/consumers'
import { readCursors } from '../../../ledger/cursors.ts'
import { UsageError } from '../../../model/errors.ts'
import { author } from '../../../run/author.ts'
import { changeCursor, closedText } from '../../../run/change-cursor.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { importProblem, parseExport } from '../../../run/move-cursors.ts'
import { openStore } from '../../../run/open-store.ts'
import { defined } from '../../../value/defined.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { accountsOf } from '../stream-names.ts'

interface ImportOptions extends CommonOptions {
  readonly why?: string
  readonly dryRun?: boolean
  /** The export. @default stdin */
  readonly input?: NodeJS.ReadableStream
}

/** `sluice cursor import`: sets cursors from an export. If one does not fit its stream, none is set. */
export async function cursorImportCommand(
  _: [],
  { database, why, dryRun = false, input = process.stdin }: ImportOptions,
  context: CommandContext,
): Promise<number> {
  const { signal } = context
  const cursors = parseExport(await text(input))
  const names = [...new Set(cursors.map(({ pipeline }) => pipeline))]
  const found = names.length === 0 ? [] : await findPipelines(names, accountsOf({ database }, context))
  await using store = await openStore({ database, signal })
  const stored = await readCursors(store.database)
  const problems = cursors.flatMap((cursor) => importProblem(cursor, { found, stored }) ?? [])
  if (problems.length > 0) throw new UsageError(`No cursor was set.\n${problems.join('\n')}`)
  for (const { pipeline, stream, partition, value, boundary } of cursors) {
    const name = `${pipeline}.${stream}`
    const before = stored.find((one) => `${one.pipeline}.${one.stream}` === name && one.partition === partition)
    const was = before ? ` (it was ${before.value})` : ''
    if (dryRun) {
      console.log(`${name}: the next run would read from ${value}${was}`)
      continue
    }
    const changed = { value, by: author(why ?? 'imported'), signal, ...defined({ boundary }) }
    const closed = await changeCursor(store.database, { pipeline, stream, partition }, changed)
    console.log(`${name}: the next run reads from ${value}${was}${closedText(closed)}`)
  }
  if (cursors.length === 0) console.log('The export has no cursor.')
  return 0
}
