// The names of the queues of pg-boss: each carries pieces of work of one version of a pipeline.

/** A pipeline, or that of an account, in one version of its definition. */
export interface PipelineVersion {
  readonly pipeline: string
  readonly version: string
}

/** What a queue is for. */
export interface QueueFor extends PipelineVersion {
  /** Whose windows it holds. @default it holds streams */
  readonly stream?: string | undefined
}

/** Returns the name of the queue of a pipeline in one version. A queue's name may not have an `@`. */
export const queueName = ({ pipeline, version, stream }: QueueFor): string =>
  `${pipeline.replace('@', '/')}.${version}${stream === undefined ? '' : `.${stream}`}`

/** Returns what a queue is for. */
export function ofQueue(queue: string): QueueFor {
  const [name = '', version = '', stream] = queue.split('.')
  return { pipeline: name.replace('/', '@'), version, stream }
}
