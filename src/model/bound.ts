// Ends of the range that is read, as values of a request. Plain data.

/** A placeholder in a query for the lower or upper end of the range, so that no function is needed. */
export interface Bound {
  readonly bound: 'since' | 'until'
  /** @default 'text': the cursor as it was stored. */
  readonly as?: 'unix' | 'unix ms' | 'date' | 'number' | 'utc' | ClockFormat
}

/** A time as the clock of a zone shows it, by a pattern such as `YYYY-MM-DD HH:mm`. */
export interface ClockFormat {
  readonly pattern: string
  readonly zone: string
}

/** A text with ends of the range in it: the texts between the values, and the values. */
export interface BoundText {
  readonly textTemplate: readonly string[]
  readonly values: readonly (Bound | BoundText | string | number)[]
}

/** The half-open range that is read, as text of the cursor, which is exact for bigints and microseconds. */
export interface Range {
  readonly since?: string | undefined
  readonly until?: string | undefined
}
