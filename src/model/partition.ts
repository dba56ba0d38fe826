/** The lengths that a partition can have: days, weeks from Monday, months and years of UTC. */
export const PARTITION_LENGTHS = ['1d', '1w', '1mo', '1y'] as const
export type PartitionLength = (typeof PARTITION_LENGTHS)[number]

/** How a table is divided by time. */
export interface Partitioning {
  /** The record's field that says to which partition a row belongs. */
  readonly by: string
  readonly every: PartitionLength
}
