import { undelete, type Undeleted } from '../../../ledger/undelete.ts'
import { UsageError } from '../../../model/errors.ts'
import { openStore } from '../../../run/open-store.ts'
import { defined } from '../../../value/defined.ts'
import { duration } from '../../../value/duration.ts'
import { formatCount } from '../../../value/format.ts'
import { instantMs, parseInstant } from '../../../value/instant.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'

interface UndeleteOptions extends CommonOptions {
  readonly since?: string
  readonly run?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `sluice undelete`: puts deleted rows back. Needs only the ledger, because the pipeline file may be gone. */
export async function undeleteCommand(
  [word]: [string],
  { database, since, run, dryRun = false, json = false }: UndeleteOptions,
  { signal }: CommandContext,
): Promise<number> {
  const { pipeline = '', stream } = parseStreamName(word)
  if (run !== undefined && !/^\d+$/.test(run))
    throw new UsageError(`--run ${run} is not the number of a run. See: sluice runs ${pipeline}`)
  const from = since === undefined ? undefined : momentOf(since)
  await using store = await openStore({ database, signal })
  await requireKnownName(store.database, { pipeline, ...defined({ stream }) })
  await using transaction = await store.database.transaction({ statementTimeout: '2h', signal })
  const tables = await undelete(transaction, { pipeline, stream, since: from, run })
  if (!dryRun) await transaction.commit()
  if (json) console.log(JSON.stringify({ dryRun, tables }))
  else for (const line of linesOf(word, tables, dryRun)) console.log(line)
  return tables.some(({ refused }) => refused > 0) ? 1 : 0
}

/** Returns a moment that is given as such, or as how long ago it was. */
function momentOf(text: string): Date {
  const instant = parseInstant(text)
  if (instant) return new Date(instantMs(instant))
  try {
    return new Date(Date.now() - duration(text))
  } catch {
    throw new UsageError(
      `--since ${text} is neither how long ago, as in 2h or 3d, nor a moment, as in 2024-01-31T12:00:00Z`,
    )
  }
}

const were = (rows: number): string => (rows === 1 ? 'was' : 'were')

function linesOf(word: string, tables: readonly Undeleted[], dryRun: boolean): string[] {
  if (tables.length === 0)
    return [`${word}: no deleted rows are kept that could be put back. They are kept for the undo of their table`]
  return tables.flatMap(({ table, restored, existing, refused, existingKeys, refusedKey, reason }) => [
    `${table}: ${formatCount(restored, 'row')} ${dryRun ? 'would be' : were(restored)} put back`,
    ...(existing === 0
      ? []
      : [
          `${table}: ${formatCount(existing, 'row')} ${existing === 1 ? 'exists' : 'exist'} again and ` +
            `${existing === 1 ? 'stays' : 'stay'} as ${existing === 1 ? 'it is' : 'they are'}, ` +
            `such as ${existingKeys.join(', ')}`,
        ]),
    ...(refused === 0
      ? []
      : [`${table}: the database refuses ${formatCount(refused, 'row')}, such as ${refusedKey}: ${reason}`]),
  ])
}
