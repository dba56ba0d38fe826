export interface Settled<T> {
  readonly done: T[]
  readonly failed: unknown[]
}

/**
 * Waits for all tasks, and returns results and failures apart, each in the order of the tasks. Never rejects. Python:
 * `gather(return_exceptions=True)`.
 */
export async function settle<T>(work: Iterable<T>): Promise<Settled<Awaited<T>>> {
  const settled: Settled<Awaited<T>> = { done: [], failed: [] }
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'fulfilled') settled.done.push(result.value)
    else settled.failed.push(result.reason)
  }
  return settled
}
