import { Notifier } from './notifier.ts'
import { LONGEST_TIMER } from '../value/duration.ts'
import { onAbort } from './signals/on-abort.ts'
import { SourceReader, type SourceInput } from './source-reader.ts'

export interface BatchesOptions<T> {
  /** A batch is due when it holds this many rows. @default no limit */
  readonly rows?: number
  /** A batch is due when it holds this many bytes. @default no limit */
  readonly bytes?: number
  /** A batch is due this many milliseconds after its first item, even if the source is silent. @default no limit */
  readonly everyMs?: number
  /** Returns the size of an item. */
  readonly measure: (item: T) => { readonly rows: number; readonly bytes: number }
  /** Returns true for an item that forms a batch by itself, after the batch before it. */
  readonly isAlone?: (item: T) => boolean
  /** Returns true for an item that ends its batch. */
  readonly isLast?: (item: T) => boolean
  readonly signal?: AbortSignal | undefined
}

type Arrival<T> =
  | { readonly type: 'item'; readonly item: T }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: unknown }

/**
 * Gathers items into batches. A batch is never empty, and no item is divided, so a batch may exceed its limits by one
 * item.
 *
 * When the source fails or the signal aborts, yields the items gathered so far and then throws, so that they can still
 * be committed. Reads at most one item ahead: the one that was awaited when the time was up.
 */
export async function* batches<T>(
  source: SourceInput<T>,
  { rows = Infinity, bytes = Infinity, everyMs = Infinity, measure, isAlone, isLast, signal }: BatchesOptions<T>,
): AsyncGenerator<T[], void, undefined> {
  signal?.throwIfAborted()
  const reader = new SourceReader(source, signal)
  let batch: T[] = []
  let size = { rows: 0, bytes: 0 }
  let timer: NodeJS.Timeout | undefined
  let isDue = false
  let reading: Promise<void> | undefined
  let arrived: Arrival<T> | undefined
  const notifier = new Notifier()

  const arrive = (arrival: Arrival<T>): void => {
    reading = undefined
    arrived = arrival
    notifier.notify()
  }
  const add = (item: T): void => {
    const added = measure(item)
    batch.push(item)
    size = { rows: size.rows + added.rows, bytes: size.bytes + added.bytes }
    isDue ||= size.rows >= rows || size.bytes >= bytes || (isLast?.(item) ?? false)
    // The time counts from when the item enters the batch, not from when it was read. Otherwise a consumer slower than
    // `everyMs` would get batches of one item.
    if (batch.length === 1 && everyMs !== Infinity) {
      timer = setTimeout(
        () => {
          isDue = true
          notifier.notify()
        },
        Math.min(everyMs, LONGEST_TIMER),
      )
    }
  }
  const take = (): T[] => {
    clearTimeout(timer)
    const taken = batch
    batch = []
    size = { rows: 0, bytes: 0 }
    isDue = false
    return taken
  }

  using _ = onAbort(signal, () => notifier.notify())
  try {
    for (;;) {
      if (!arrived && !isDue && !signal?.aborted)
        reading ??= reader.next().then(
          (step) => arrive(step.done ? { type: 'end' } : { type: 'item', item: step.value }),
          (error: unknown) => arrive({ type: 'error', error }),
        )
      await notifier.until(() => arrived !== undefined || isDue || signal?.aborted === true)
      const hasOneAlone = arrived?.type === 'item' && (isAlone?.(arrived.item) ?? false)
      if (batch.length > 0 && (isDue || signal?.aborted || arrived?.type !== 'item' || hasOneAlone)) {
        yield take()
        continue
      }
      signal?.throwIfAborted()
      if (arrived?.type === 'error') throw arrived.error
      if (arrived?.type !== 'item') return
      const { item } = arrived
      arrived = undefined
      if (hasOneAlone) yield [item]
      else add(item)
    }
  } catch (error) {
    await reader.abandon()
    throw error
  } finally {
    clearTimeout(timer)
    await reader.close()
  }
}
