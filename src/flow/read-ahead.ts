import { atLeastOne } from './at-least-one.ts'
import { abortable } from './signals/abortable.ts'
import { SourceReader, type SourceInput } from './source-reader.ts'

export interface ReadAheadOptions {
  /** Items that are read or wait, in addition to the one that the consumer works on. @default 1 */
  readonly items?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Yields items while the next ones are being read, one at a time. Items before a failure are yielded first. When the
 * consumer leaves, waits for the read in flight and closes the source.
 */
export async function* readAhead<T>(
  source: SourceInput<T>,
  { items = 1, signal }: ReadAheadOptions = {},
): AsyncGenerator<T, void, undefined> {
  atLeastOne('items', items)
  signal?.throwIfAborted()
  const reader = new SourceReader(source, signal)
  const ahead: Promise<IteratorResult<T, undefined>>[] = []
  let last: Promise<IteratorResult<T, undefined>> | undefined
  const read = (): Promise<IteratorResult<T, undefined>> => {
    const next = last ? last.then((step) => (step.done ? step : reader.next())) : reader.next()
    next.catch(() => {}) // Thrown in its turn, below.
    last = next
    return next
  }
  try {
    for (;;) {
      const step = await abortable(ahead.shift() ?? read(), signal)
      if (step.done) return
      while (ahead.length < items) ahead.push(read())
      yield step.value
    }
  } catch (error) {
    await reader.abandon()
    throw error
  } finally {
    await reader.close()
  }
}
