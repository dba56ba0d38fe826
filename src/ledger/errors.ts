import { sqlState } from '../database/errors.ts'
import { LoadError, SliceLostError, type SluiceError } from '../model/errors.ts'
import { messageOf } from '../value/error.ts'

/**
 * Returns an error of the ledger's SQL functions as the error that ends a stream; undefined for all other errors. SL001
 * is only certain after `resolveCommit`: a batch whose COMMIT got no answer is refused too when it is sent again.
 */
export function ledgerError(error: unknown, location: string): SluiceError | undefined {
  const known = LEDGER_ERRORS[sqlState(error) as keyof typeof LEDGER_ERRORS]
  if (!known) return undefined
  return new known.type(`${location}: ${messageOf(error)}. ${known.remedy}`, { cause: error })
}

/** The SQLSTATEs that migrations/ raise. */
export const LEDGER_ERRORS = {
  SL001: { type: SliceLostError, remedy: 'Nothing of this batch was stored; what was committed stays' },
  SL003: {
    type: LoadError,
    remedy: 'A record was lost or doubled on its way, so nothing of this batch was stored. Please report this',
  },
  SL004: { type: SliceLostError, remedy: 'Nothing of this batch was stored. Run again' },
  SL005: {
    type: LoadError,
    remedy:
      'Without a key they cannot be distinguished from those of the next run. ' +
      'Give the table a key, and the run continues; or choose a cursor of finer resolution, and it restarts',
  },
  SL006: { type: LoadError, remedy: 'Nothing of this replay was stored. List the rejects again' },
  SL007: { type: LoadError, remedy: 'Nothing of this plan was stored. Please report this' },
  SL008: { type: SliceLostError, remedy: 'Nothing was claimed. Run again' },
} as const satisfies Readonly<
  Record<string, { readonly type: typeof LoadError | typeof SliceLostError; readonly remedy: string }>
>
