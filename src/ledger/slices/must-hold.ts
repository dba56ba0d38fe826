import type { Transaction } from '../../database/database.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { Slice } from '../../model/slice.ts'

/**
 * Inside a transaction that stores nothing of the slice, and so has no batch to be refused: fails unless the slice is
 * still ours. It locks nothing: whoever takes the slice over must not have to wait for us, who may be stopped, and ends
 * our session.
 */
export async function mustHold(transaction: Transaction, { id, token, pipeline, stream }: Slice): Promise<void> {
  const [row] = await transaction.query(
    `select id from sluice.slices where id = ${BigInt(id)} and token = ${BigInt(token)} and status = 'open'`,
  )
  if (!row)
    throw new SliceLostError(
      `${pipeline}.${stream}: slice ${id} was taken by another run, or closed by hand; the table was left as it is, and that run goes on`,
    )
}
