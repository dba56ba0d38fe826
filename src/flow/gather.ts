/**
 * Every answer, in the order asked and typed each by itself; the first failure rejects at once. Python:
 * `asyncio.gather`.
 */
export const gather = <T extends readonly unknown[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> => Promise.all(work)
