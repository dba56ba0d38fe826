export interface Settled<T> {
  readonly done: T[]
  readonly failed: unknown[]
}

/**
 * Successes and failures apart, each in the order asked; waits for all and never rejects. Python:
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
