import { readRejects } from '../../../ledger/read/read-rejects.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { parseStreamName } from '../stream-names.ts'

interface RejectsListOptions extends CommonOptions {
  readonly run?: string
  readonly all?: boolean
  readonly limit: number
  readonly json?: boolean
}

/** `sluice rejects list` */
export async function rejectsListCommand(
  [word]: [string | undefined],
  { database, run, all = false, limit, json = false }: RejectsListOptions,
  { signal }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const found = await readRejects(store.database, { ...parseStreamName(word), run, replayed: all, limit: limit + 1 })
  const rejects = found.slice(0, limit)
  if (json) {
    // The record's own JSON, with every digit it had.
    for (const { record, parents, ...reject } of rejects)
      console.log(
        `${JSON.stringify(reject).slice(0, -1)},"record":${record}${parents === undefined ? '' : `,"parents":${parents}`}}`,
      )
    return 0
  }
  if (rejects.length === 0)
    console.log(all ? 'Nothing was ever rejected.' : 'Nothing is rejected that was not replayed since.')
  printTable(
    rejects.map(({ id, run: of, pipeline, stream, stage, reason, record, createdAt, replayedAt }) => ({
      id,
      run: of,
      stream: `${pipeline}.${stream}`,
      stage,
      reason,
      record,
      at: formatTime(createdAt),
      ...(all && { replayed: replayedAt ? formatTime(replayedAt) : '' }),
    })),
    { optional: ['at', 'run'] },
  )
  if (found.length > limit) console.log(`There are more: sluice rejects list --limit ${limit * 10}`)
  return 0
}
