// A run that fails before it starts, such as for a missing secret, is in the ledger too. Else nobody who looks there
// would see that a pipeline no longer runs.
import type { PieceAttempt } from '../ledger/pieces.ts'
import { recordFailedStart as recordInLedger } from '../ledger/runs.ts'
import type { RunKind } from '../model/slice.ts'
import { defined } from '../value/defined.ts'
import { messageOf } from '../value/error.ts'
import { openStoreToRead, type OpenStoreOptions } from './open-store.ts'

/** Milliseconds for all of it. The error is known already, and must not wait for a database. */
const MAX_MS = 5_000

export interface FailedStart {
  readonly database?: string | undefined
  readonly environment?: OpenStoreOptions['environment'] | undefined
  readonly kind: RunKind
  readonly pipeline: string
  /** The options of the run, for `sluice runs`. */
  readonly options: unknown
  readonly piece?: PieceAttempt | undefined
  readonly signal?: AbortSignal | undefined
}

/** Calls `check`. If it throws, records a failed run where a ledger can be reached, and throws the error again. */
export async function recordingFailedStart(check: () => void, start: FailedStart): Promise<void> {
  try {
    check()
  } catch (error) {
    await record(start, messageOf(error)).catch(() => {})
    throw error
  }
}

async function record({ database, environment, signal, ...start }: FailedStart, error: string): Promise<void> {
  const limit = AbortSignal.timeout(MAX_MS)
  const signals = signal === undefined ? limit : AbortSignal.any([signal, limit])
  await using store = await openStoreToRead({ ...defined({ database, environment }), max: 1, signal: signals })
  if (store) await recordInLedger(store.database, { ...start, error, signal: signals })
}
