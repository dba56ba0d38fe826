/**
 * Resolves with all results in the order of the arguments, each with its own type. Rejects with the first failure.
 * Python: `asyncio.gather`.
 */
export const gather = <T extends readonly unknown[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> => Promise.all(work)
