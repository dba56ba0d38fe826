import { isConnectionError, sqlState } from '../../database/errors.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { HeldSlice, Restart } from '../../ledger/slices/held-slice.ts'
import { failSlice, releaseSlice } from '../../ledger/slices/transitions.ts'
import { addCounts, NO_COUNTS } from '../../model/counts.ts'
import { DatabaseError, IncompleteError, RateLimitedError, SliceLostError, UsageError } from '../../model/errors.ts'
import type { Scope } from '../../model/scope.ts'
import type { Window } from '../../model/window.ts'
import { defined } from '../../value/defined.ts'
import type { StreamContext } from '../stream-context.ts'
import { countKeptRows } from './count-kept-rows.ts'
import type { CommittedBatch, SliceContext, SliceSource } from './slice-context.ts'
import { syncSlice } from './sync-slice.ts'

export interface SliceClaim {
  readonly slice: HeldSlice
  /** Set if the slice has to restart, with its new bounds. */
  readonly restart?: Restart | undefined
  /** True for the first slice that goes on with a reading of everything that an earlier run has begun. */
  readonly isContinued?: boolean | undefined
  /** Backfills only: the window that the slice reads. */
  readonly window?: (Window & { readonly windowIndex: number }) | undefined
}

export interface HoldOptions {
  /** Ends the reading. @default the run's `readSignal` */
  readonly signal?: AbortSignal | undefined
}

/** Holds a claimed slice until the end of the block: `await using held = holdSlice(stream, claim)`. */
export const holdSlice = (stream: StreamContext, claim: SliceClaim, options: HoldOptions = {}): SliceHold =>
  new SliceHold(stream, claim, options)

/**
 * A slice that this run holds. `sync` reads it to its end.
 *
 * | after an error | a slice of a sync | a window of a backfill, a range of a chain | a replay |
 * |---|---|---|---|
 * | the run was stopped | open, without a text | open, without a text | failed |
 * | another run has taken the slice over | unchanged | unchanged | unchanged |
 * | other slices would fail in the same way (rate limit, database, definition) | open | open | failed |
 * | any other error | open | failed | failed |
 */
export class SliceHold implements SliceContext, AsyncDisposable {
  readonly stream: StreamContext
  readonly scope: Scope
  slice: HeldSlice
  readonly #claim: SliceClaim
  readonly #parentSignal: AbortSignal
  readonly #resources = new DisposableStack()
  #status: SliceStatus = 'claimed'
  #counts = NO_COUNTS

  constructor(stream: StreamContext, claim: SliceClaim, { signal = stream.readSignal }: HoldOptions) {
    const { run } = stream
    const { slice, window, restart, isContinued = false } = claim
    const resumed = slice.resumed || isContinued
    // A slice that begins again has another range than the one that it was interrupted with.
    const { since } = restart ?? slice
    this.stream = stream
    this.slice = slice
    this.#claim = claim
    this.#parentSignal = signal
    this.#resources.defer(() => run.keeper.release(slice))
    const stop = this.#resources.use(new LinkedSignal(signal))
    this.#resources.use(run.watchSlice(slice.id, (reason) => stop.abort(this.#lost(reason))))
    this.scope = this.#resources.use(run.openScope(stream.stream, slice.id, stop.signal))
    stream.tally.sliceStarted({ since, resumed })
    stream.emit({
      type: 'slice.started',
      stream: stream.stream,
      slice: slice.id,
      resumed,
      since: window?.lower ?? since,
      ...(window && { lower: window.lower, upper: window.upper, windowIndex: window.windowIndex }),
    })
  }

  /** `claimed` until `sync` has ended. */
  get status(): SliceStatus {
    return this.#status
  }

  /** The location of the slice, as messages name it. */
  get location(): string {
    const { window } = this.#claim
    const { streamName } = this.stream
    return window ? `${streamName}, window ${window.lower} to ${window.upper}` : streamName
  }

  /**
   * Reads the slice from its position to its end and commits it batch by batch. After an error the ledger shows the
   * slice as in the table above, and the error is thrown.
   */
  async sync(source: SliceSource = {}): Promise<void> {
    try {
      await syncSlice(this, this.#claim.restart, source)
    } catch (error) {
      await this.#leave(error)
      throw error
    }
    this.#status = 'done'
    const { stream, slice } = this
    const { completeness } = slice
    stream.tally.sliceFinished(completeness)
    // What a mirror keeps, its warnings tell.
    if (!stream.table.mirror) stream.tally.keptRows(await countKeptRows(this))
    stream.emit({
      type: 'slice.finished',
      stream: stream.stream,
      slice: slice.id,
      counts: this.#counts,
      ...defined({ completeness }),
    })
  }

  readonly onCommit = (batch: CommittedBatch): void => {
    const { stream, slice } = this
    const { swap, children, ...event } = batch
    this.#counts = addCounts(this.#counts, batch.counts)
    const cursor = slice.kind === 'sync' && slice.chain === undefined ? slice.highWaterMark?.value : undefined
    stream.tally.committed(batch.counts, { swap, children, cursor })
    stream.receipt?.committed(slice.id)
    stream.emit({ type: 'batch.committed', stream: stream.stream, slice: slice.id, ...event })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#status === 'claimed') await this.#release()
    this.#resources[Symbol.dispose]()
  }

  /** Returns the text of an error in this slice. */
  problem(error: unknown): string {
    return this.stream.problem(error, this.location)
  }

  /** Brings the ledger up to date after an error. If that fails too, the slice is claimed again after its lease. */
  async #leave(error: unknown): Promise<void> {
    const isStopped = this.#parentSignal.aborted
    this.#status = statusAfter(error, this.slice, isStopped)
    const text = isStopped && this.slice.kind !== 'replay' ? undefined : this.problem(error)
    const openReasons = error instanceof IncompleteError ? error.reasons : undefined
    if (openReasons) this.stream.tally.sliceRefused(openReasons)
    await (this.#status === 'failed' ? this.#fail(text, openReasons) : this.#release(text, openReasons))
  }

  async #fail(text = '', openReasons?: readonly string[]): Promise<void> {
    const { database, writeSignal } = this.stream
    await failSlice(database, this.slice, { error: text, openReasons, signal: writeSignal }).catch(() => {})
  }

  async #release(text?: string, openReasons?: readonly string[]): Promise<void> {
    const { database, writeSignal } = this.stream
    await releaseSlice(database, this.slice, { error: text, openReasons, signal: writeSignal }).catch(() => {})
  }

  #lost(reason: string): SliceLostError {
    return new SliceLostError(
      `${this.location}: slice ${this.slice.id} ${reason}. ` +
        'This run stores nothing more of it; what was committed stays',
    )
  }
}

/** `lost`: another run has taken the slice over. */
export type SliceStatus = 'claimed' | 'done' | 'open' | 'failed' | 'lost'

function statusAfter(error: unknown, { kind, chain }: HeldSlice, isStopped: boolean): 'open' | 'failed' | 'lost' {
  if (kind === 'replay') return 'failed'
  if (error instanceof SliceLostError && !isStopped) return 'lost'
  const isAlone = kind === 'sync' && chain === undefined
  return isAlone || isStopped || concernsEverySlice(error) ? 'open' : 'failed'
}

/** True for errors that the next slice would hit as well. */
const concernsEverySlice = (error: unknown): boolean =>
  error instanceof RateLimitedError ||
  error instanceof UsageError ||
  error instanceof DatabaseError ||
  isConnectionError(error) ||
  sqlState(error) !== undefined
