import { sqlState } from '../database/errors.ts'
import { LoadError, SliceLostError, type SluiceError } from '../model/errors.ts'
import { messageOf } from '../value/error.ts'

/**
 * What the ledger's own SQLSTATEs mean, as an error to end a stream with; undefined for all others.
 * SL001, not ours, is only certain after `settle`: a batch whose answer was lost is refused as well when it is sent
 * again.
 */
export function ledgerFault(error: unknown, place: string): SluiceError | undefined {
  const message = messages[sqlState(error) ?? '']
  if (!message) return undefined
  const said = `${place}: ${messageOf(error)}`
  const { Fault, remedy } = message
  return new Fault(`${said}; ${remedy}`, { cause: error })
}

const messages: Readonly<
  Record<string, { readonly Fault: typeof LoadError | typeof SliceLostError; readonly remedy: string }>
> = {
  SL001: {
    Fault: SliceLostError,
    remedy:
      'another run has taken it, or it was closed by hand; nothing of this batch was stored, and that run goes on',
  },
  SL003: {
    Fault: LoadError,
    remedy: 'a record was lost or doubled on its way, so nothing of this batch was stored; please report it',
  },
  SL004: { Fault: SliceLostError, remedy: 'nothing of this batch was stored; run again' },
  SL005: {
    Fault: LoadError,
    remedy:
      'give the table a key, with which the reading goes on where it stopped, or a cursor of finer resolution, with which it begins anew: without a key they could not be told from those of the next run',
  },
  SL006: { Fault: LoadError, remedy: 'nothing of this replay was stored; list the rejects again' },
}
