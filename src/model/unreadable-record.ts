/**
 * Stands among the records of a body for one that could not be read, such as a row of CSV with too few fields. It
 * becomes a reject of its own, and the others are read.
 */
export class UnreadableRecord {
  /** `line 17 has 2 fields where …` */
  readonly reason: string
  /** What is known of it, for the reject. */
  readonly record: Readonly<Record<string, unknown>>

  constructor(reason: string, record: Readonly<Record<string, unknown>>) {
    this.reason = reason
    this.record = record
  }
}

/** Returns what is known of a record: paging goes on by the last one also if that could not be read whole. */
export const knownOf = (record: unknown): unknown => (record instanceof UnreadableRecord ? record.record : record)
