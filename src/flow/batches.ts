import { Notifier } from './notifier.ts'
import { LONGEST_TIMER } from '../value/duration.ts'
import { onAbort } from './signals/on-abort.ts'
import { SourceReader, type SourceInput } from './source-reader.ts'

export interface BatchesOptions<T> {
  /** Due when it holds so many rows. @default no limit */
  readonly rows?: number
  /** Due when it holds so many bytes. @default no limit */
  readonly bytes?: number
  /** Due so many milliseconds after its first item came, be the source silent or not. @default no limit */
  readonly every?: number
  readonly measure: (item: T) => { readonly rows: number; readonly bytes: number }
  /** Such an item is handed on alone, after the batch before it. */
  readonly cut?: (item: T) => boolean
  /** Such an item ends its batch. */
  readonly due?: (item: T) => boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Gather whole items into batches, never an empty one. Rows and bytes are reached, not kept below: an item is never
 * divided.
 *
 * When the source fails or the signal aborts, what was gathered is handed on first and the error is thrown after it, so
 * that what is whole can still be committed. Reads ahead at most the one item that it was waiting for when the time was
 * up.
 */
export async function* batches<T>(
  source: SourceInput<T>,
  { rows = Infinity, bytes = Infinity, every = Infinity, measure, cut, due, signal }: BatchesOptions<T>,
): AsyncGenerator<T[], void, undefined> {
  signal?.throwIfAborted()
  const input = new SourceReader(source, signal)
  let batch: T[] = []
  let size = { rows: 0, bytes: 0 }
  let timer: NodeJS.Timeout | undefined
  let isDue = false
  let reading: Promise<void> | undefined
  let arrived: { readonly step: IteratorResult<T, undefined> } | { readonly error: unknown } | undefined
  const notifier = new Notifier()

  const arrive = (what: NonNullable<typeof arrived>): void => {
    reading = undefined
    arrived = what
    notifier.notify()
  }
  const add = (item: T): void => {
    const { rows: more, bytes: heavier } = measure(item)
    batch.push(item)
    size = { rows: size.rows + more, bytes: size.bytes + heavier }
    isDue ||= size.rows >= rows || size.bytes >= bytes || (due?.(item) ?? false)
    // From the moment when it is put into the batch, not when it was read: a consumer slower than `every` would get
    // batches of one item.
    if (batch.length === 1 && every !== Infinity) {
      timer = setTimeout(
        () => {
          isDue = true
          notifier.notify()
        },
        Math.min(every, LONGEST_TIMER),
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
        reading ??= input.next().then(
          (step) => arrive({ step }),
          (error: unknown) => arrive({ error }),
        )
      await notifier.until(() => arrived !== undefined || isDue || signal?.aborted === true)
      const item = arrived && 'step' in arrived && !arrived.step.done ? arrived.step : undefined
      const alone = item !== undefined && (cut?.(item.value) ?? false)
      if (batch.length > 0 && (isDue || signal?.aborted || !item || alone)) {
        yield take()
        continue
      }
      signal?.throwIfAborted()
      if (arrived && 'error' in arrived) throw arrived.error
      if (!item) return
      arrived = undefined
      if (alone) yield [item.value]
      else add(item.value)
    }
  } catch (error) {
    await input.abandon()
    throw error
  } finally {
    clearTimeout(timer)
    await input.close()
  }
}
