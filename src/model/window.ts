/**
 * A half-open range of calendar time. Its instants look like `2024-01-31T00:00:00.000Z`. A backfill reads a stream
 * window by window.
 */
export interface Window {
  readonly lower: string
  readonly upper: string
}

/** Counts of the windows of a backfill, by state. */
export interface WindowCounts {
  readonly total: number
  readonly done: number
  /** Done, but the reading could not prove that it has read everything. */
  readonly unproven: number
  readonly failed: number
  /** Left out, because earlier backfills of the stream have read these ranges. */
  readonly skipped: number
  /** Not read yet, or being read now. */
  readonly open: number
}
