import type { RunOptions } from '../options.ts'

/** Options of `verify()`. */
export interface VerifyOptions extends Pick<RunOptions, 'database' | 'streams' | 'environment' | 'signal'> {
  /**
   * Start of a range, as a day or an instant: only this range is read, window by window. @default all of each stream
   */
  readonly from?: string | undefined
  /** End of the range; not included. @default now */
  readonly to?: string | undefined
  /** Length of a window: `1h`, `1d`, `1w`, `1mo`, `1y`, or several of one. @default '1d' */
  readonly window?: string | undefined
  /** The calendar that decides when a day begins, such as `Europe/Berlin`. @default 'UTC' */
  readonly zone?: string | undefined
  /**
   * Put missing and stale rows right: by reading again only what differs where the stream can be read in windows, else
   * by reading it in full. Extra rows stay. @default false
   */
  readonly repair?: boolean
  /** Rows to show of each kind and window. @default 3 */
  readonly samples?: number | undefined
  /** Called with the number of rows that were read of a stream so far. */
  readonly onProgress?: ((stream: string, rows: number) => void) | undefined
}
