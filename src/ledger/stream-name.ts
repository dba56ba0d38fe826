/** An entry in the streams of a pipeline, and a key of its partitions if it has some. */
export interface StreamName {
  readonly pipeline: string
  readonly stream: string
  /** @default '' */
  readonly partition?: string | undefined
}
