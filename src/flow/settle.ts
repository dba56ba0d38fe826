export interface Settled<T> {
  readonly done: T[]
  readonly failed: unknown[]
}

/** Successes and failures apart, each in the order asked; waits for all and never rejects. Python: `gather(return_exceptions=True)`. */
export async function settle<T>(work: Iterable<PromiseLike<T> | T>): Promise<Settled<T>> {
  const settled: Settled<T> = { done: [], failed: [] }
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'fulfilled') settled.done.push(result.value)
    else settled.failed.push(result.reason)
  }
  return settled
}
