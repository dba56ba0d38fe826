import { atLeastOne } from './at-least-one.ts'
import { Notifier } from './notifier.ts'
import { onAbort } from './signals/on-abort.ts'
import { SourceReader, type SourceInput } from './source-reader.ts'

export interface MapConcurrentOptions {
  /** Largest number of items that are taken from the source and not yet yielded, and of calls at once. @default 8 */
  readonly concurrency?: number
  /** Yield results in the order of the items; otherwise as they complete. @default true */
  readonly ordered?: boolean
  readonly signal?: AbortSignal | undefined
}

type Outcome<B> = { readonly type: 'value'; readonly value: B } | { readonly type: 'error'; readonly error: unknown }

/** One item in progress. */
interface Call<B> {
  readonly controller: AbortController
  outcome?: Outcome<B>
}

/**
 * Calls `fn` on every item, at most `concurrency` at a time, and yields the results.
 *
 * Reads at most `concurrency` items ahead, including the one that the consumer works on. A failed call stops the start
 * of new ones at once, even if the source is slow; calls in flight are aborted and awaited. If results are ordered,
 * only calls *behind* the failed one are aborted, so that the results before the failure do not depend on timing. When
 * the consumer leaves, all calls are aborted and awaited, and the source is closed.
 */
export async function* mapConcurrent<A, B>(
  source: SourceInput<A>,
  fn: (item: A, signal: AbortSignal) => B | PromiseLike<B>,
  { concurrency = 8, ordered = true, signal }: MapConcurrentOptions = {},
): AsyncGenerator<B, void, undefined> {
  atLeastOne('concurrency', concurrency)
  signal?.throwIfAborted()
  const reader = new SourceReader(source, signal)
  const running = new Map<Call<B>, Promise<void>>()
  /** Calls in the order in which their results are yielded: of the items, or of completion. */
  const queue: Call<B>[] = []
  /** Items taken from the source whose results the consumer has not finished. */
  let open = 0
  let isReading = false
  let isFinished = false
  let sourceFailure: { readonly error: unknown } | undefined
  const notifier = new Notifier()

  const complete = (call: Call<B>, outcome: Outcome<B>): void => {
    call.outcome = outcome
    running.delete(call)
    if (!ordered) queue.push(call)
    if (outcome.type === 'error') {
      isFinished = true
      const behind = ordered ? queue.slice(queue.indexOf(call) + 1) : [...running.keys()]
      for (const other of behind) other.controller.abort(outcome.error)
    }
    notifier.notify()
  }
  const start = (item: A): void => {
    const call: Call<B> = { controller: new AbortController() }
    if (ordered) queue.push(call)
    running.set(
      call,
      Promise.try(fn, item, call.controller.signal).then(
        (value) => complete(call, { type: 'value', value }),
        (error: unknown) => complete(call, { type: 'error', error }),
      ),
    )
  }
  const read = async (): Promise<void> => {
    isReading = true
    try {
      while (!isFinished && open < concurrency) {
        open++
        const step = await reader.next()
        if (isFinished || step.done) {
          open--
          isFinished = true
        } else start(step.value)
      }
    } catch (error) {
      // Thrown after the results before it.
      sourceFailure = { error }
      isFinished = true
    }
    isReading = false
    notifier.notify()
  }
  const abort = (reason: unknown): void => {
    isFinished = true
    for (const { controller } of running.keys()) controller.abort(reason)
  }

  using _ = onAbort(signal, (reason) => {
    abort(reason)
    notifier.notify()
  })
  try {
    for (;;) {
      if (!isReading && !isFinished) void read()
      await notifier.until(
        () => queue[0]?.outcome !== undefined || (isFinished && running.size === 0) || signal?.aborted === true,
      )
      signal?.throwIfAborted()
      const outcome = queue.shift()?.outcome
      if (!outcome) {
        if (sourceFailure) throw sourceFailure.error
        return
      }
      if (outcome.type === 'error') throw outcome.error
      yield outcome.value
      open--
    }
  } catch (error) {
    abort(error)
    await reader.abandon()
    throw error
  } finally {
    abort(new DOMException('The consumer left', 'AbortError'))
    await Promise.all(running.values())
    await reader.close()
  }
}
