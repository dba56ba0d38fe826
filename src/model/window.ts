/**
 * A piece of calendar time, half-open; instants as `2024-01-31T00:00:00.000Z`. A backfill reads a stream window by
 * window.
 */
export interface Window {
  readonly lower: string
  readonly upper: string
}

/** What has become of the windows of a backfill. */
export interface WindowCounts {
  readonly total: number
  readonly done: number
  readonly failed: number
  /** Left out, since earlier backfills of the stream have done what is in them. */
  readonly skipped: number
  /** Not read yet, or being read. */
  readonly open: number
}
