import { abortable } from './signals/abortable.ts'
import { atLeastOne } from './at-least-one.ts'
import { SourceReader, type SourceInput } from './source-reader.ts'

export interface ReadAheadOptions {
  /** How many items may be on their way or wait, beside the one that the consumer works on. @default 1 */
  readonly items?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Hand items on while the next ones are already on their way.
 *
 * The source is asked for one item at a time. Items before a failure are handed on first. When the consumer leaves, the
 * read in flight is waited for and the source is closed.
 */
export async function* readAhead<T>(
  source: SourceInput<T>,
  { items = 1, signal }: ReadAheadOptions = {},
): AsyncGenerator<T, void, undefined> {
  atLeastOne('items', items)
  signal?.throwIfAborted()
  const input = new SourceReader(source, signal)
  const ahead: Promise<IteratorResult<T, undefined>>[] = []
  let last: Promise<IteratorResult<T, undefined>> = Promise.resolve({ done: false, value: undefined as T })
  const pull = (): void => {
    last = last.then((step) => (step.done ? step : input.next()))
    last.catch(() => {}) // Reported in its turn, below.
    ahead.push(last)
  }
  try {
    for (;;) {
      if (ahead.length === 0) pull()
      const step = await abortable(ahead[0]!, signal)
      void ahead.shift()
      if (step.done) return
      while (ahead.length < items) pull()
      yield step.value
    }
  } catch (error) {
    await input.abandon()
    throw error
  } finally {
    await input.close()
  }
}
