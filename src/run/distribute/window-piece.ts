import type { BackfillOptions } from '../options.ts'

/** A piece of work: one window of a backfill. The job that carries it holds this as JSON. */
export interface WindowPiece {
  readonly kind: 'window'
  /** The pipeline, or that of an account, such as `shops@north`. */
  readonly pipeline: string
  readonly stream: string
  /** The run that hands the windows of the backfill out. */
  readonly run: string
  /** The backfill in the ledger. */
  readonly backfill: string
  /** The lower bound of the window. */
  readonly lower: string
  readonly options: WindowOptions
}

/** Options of a backfill that its windows have too. */
export type WindowOptions = Pick<BackfillOptions, 'only' | 'mostDeletes' | 'batch'>

/** The member of the options of a run that reads windows for another one: that run. */
export const HANDED_OUT_BY = 'handedOutBy'
