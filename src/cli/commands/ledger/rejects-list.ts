import { readRejects, type StoredReject } from '../../../ledger/read/read-rejects.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'

interface RejectsListOptions extends CommonOptions {
  readonly run?: string
  readonly all?: boolean
  readonly limit: number
  readonly json?: boolean
}

/** `sluice rejects list`: shows records that could not be stored. */
export async function rejectsListCommand(
  [word]: [string | undefined],
  { database, run, all = false, limit, json = false }: RejectsListOptions,
  { signal }: CommandContext,
): Promise<number> {
  const name = parseStreamName(word)
  await using store = await openStore({ database, signal })
  const found = await readRejects(store.database, { ...name, run, settled: all, limit: limit + 1 })
  if (found.length === 0) await requireKnownName(store.database, name)
  const rejects = found.slice(0, limit)
  if (json) {
    for (const reject of rejects) console.log(jsonLine(reject))
    return 0
  }
  if (rejects.length === 0) console.log(all ? 'No record was ever rejected.' : 'No rejects are waiting for replay.')
  printTable(
    rejects.map(({ id, run: of, pipeline, stream, stage, reason, record, createdAt, settledAt, settlement }) => ({
      id,
      run: of,
      stream: `${pipeline}.${stream}`,
      stage,
      reason,
      record,
      at: formatTime(createdAt),
      ...(all && { settled: settledAt ? `${settlement} ${formatTime(settledAt)}` : '' }),
    })),
    { optional: ['at', 'run'] },
  )
  if (found.length > limit) console.log(`There are more: sluice rejects list --limit ${limit * 10}`)
  return 0
}

/** Keeps the text of the stored record, which has every digit. */
function jsonLine({ record, parents, ...reject }: StoredReject): string {
  const members = [JSON.stringify(reject).slice(0, -1), `"record":${record}`]
  if (parents !== undefined) members.push(`"parents":${parents}`)
  return `${members.join(',')}}`
}
