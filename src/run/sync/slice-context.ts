import type { HeldSlice } from '../../ledger/slices/held-slice.ts'
import type { Advance, Counts } from '../../model/batch.ts'
import type { Page } from '../../model/page.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import type { StreamContext } from '../stream-context.ts'

/** The slice that a reader works on, and the stream that it belongs to. */
export interface SliceContext {
  readonly stream: StreamContext
  /** The reader's clients and memory. Its signal aborts if the run is stopped or another run takes the slice over. */
  readonly scope: Scope
  /** The slice as it is committed. */
  slice: HeldSlice
  /** Records a committed batch, after `slice` was updated. */
  readonly onCommit: (batch: CommittedBatch) => void
}

export interface CommittedBatch {
  readonly seq: number
  readonly pages: number
  readonly bytes: number
  readonly ms: number
  readonly counts: Counts
  readonly swap?: Advance['swap']
  readonly children?: Advance['children']
}

/** Replaces the source of the recipe, as a replay does. */
export interface SliceSource {
  /** Reads the pages of the slice. @default the recipe's own source */
  readonly read?: (reading: SliceRead, scope: Scope) => AsyncGenerator<Page, void, undefined>
  /** Returns a statement that is committed with the end of the slice, or undefined. @default none */
  readonly endSql?: () => string | undefined
}
