import { dropRejects } from '../../../ledger/rejects.ts'
import { UsageError } from '../../../model/errors.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'
import { defined } from '../../../value/defined.ts'

interface RejectsDropOptions extends CommonOptions {
  readonly id?: readonly string[]
}

/** `sluice rejects drop`: settles rejects by hand. */
export async function rejectsDropCommand(
  [word]: [string],
  { database, id }: RejectsDropOptions,
  { signal }: CommandContext,
): Promise<number> {
  const { pipeline = '', stream } = parseStreamName(word)
  await using store = await openStore({ database, signal })
  await requireKnownName(store.database, { pipeline, ...defined({ stream }) })
  await using transaction = await store.database.transaction({ signal })
  const dropped = await dropRejects(transaction, { pipeline, stream }, { ids: id })
  const missing = id?.filter((one) => !dropped.includes(one)) ?? []
  if (missing.length > 0)
    throw new UsageError(`${word}: there is no open reject ${missing.join(', ')}. See: sluice rejects list ${word}`)
  await transaction.commit()
  console.log(
    dropped.length === 0
      ? `${word}: there are no rejects to drop`
      : `${word}: ${dropped.length} ${dropped.length === 1 ? 'reject was' : 'rejects were'} dropped`,
  )
  return 0
}
