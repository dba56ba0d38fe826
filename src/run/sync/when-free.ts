import { sleep } from '../../flow/signals/sleep.ts'
import type { Claim, Holder } from '../../ledger/slices/claim.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { RunOptions } from '../options.ts'
import type { StreamContext } from '../stream-context.ts'

export interface WaitOptions {
  readonly overlap: NonNullable<RunOptions['overlap']>
}

/** Time for the session of a killed process to end: a run that is started right after it must not fail over that. */
const GRACE_PERIOD_MS = 5_000
const POLL_MS = 250
const WAITING_EVENT_MS = 5_000

/** Claims a slice of a stream. Waits for another run that reads the stream as long as `overlap` asks for it. */
export async function whenFree(
  stream: StreamContext,
  { overlap, signal = stream.readSignal }: WaitOptions & { readonly signal?: AbortSignal },
  claim: () => Promise<Claim>,
): Promise<Claim> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const claimed = await claim()
    if (!claimed?.busy) return claimed
    if (waitedMs >= GRACE_PERIOD_MS && overlap === 'skip') return claimed
    if (waitedMs >= GRACE_PERIOD_MS && overlap === 'fail') throw heldByAnother(stream.streamName, claimed.busy)
    if (waitedMs > 0 && waitedMs % WAITING_EVENT_MS === 0)
      stream.emit({ type: 'waiting', stream: stream.stream, for: 'lock', ms: WAITING_EVENT_MS })
    await sleep(POLL_MS, { signal })
  }
}

/** The error of a run whose stream another run is reading. */
export const heldByAnother = (streamName: string, { run, until }: Holder): SliceLostError =>
  new SliceLostError(
    `${streamName}: run ${run} is reading it` +
      `${until ? ` (its lease ends ${until.toISOString()} unless renewed)` : ''}. ` +
      'Wait for it, or run with --overlap wait or skip',
  )
