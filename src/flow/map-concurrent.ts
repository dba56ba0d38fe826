import { atLeastOne } from './at-least-one.ts'
import { Notifier } from './notifier.ts'
import { onAbort } from './signals/on-abort.ts'
import { SourceReader, type SourceInput } from './source-reader.ts'

export interface MapConcurrentOptions {
  /** How many calls may be running at once, and how many items may be taken that are not yet handed on. @default 8 */
  readonly concurrency?: number
  /** Hand answers on in the order of the items; else as they come. @default true */
  readonly ordered?: boolean
  readonly signal?: AbortSignal | undefined
}

/** One item on its way. */
interface Call<B> {
  readonly controller: AbortController
  outcome?: { readonly value: B } | { readonly error: unknown }
}

/**
 * Call `fn` on every item, at most `concurrency` at a time, and yield the answers.
 *
 * Reads ahead no further than `concurrency` items, the one that the consumer works on included. A failed call is
 * noticed at once, however slow the source is: nothing new starts, and the calls in flight see their signal abort and
 * are waited for. In order, only those *behind* the failed one are aborted, so that what is handed on before the
 * failure does not depend on timing. When the consumer leaves, all calls are aborted and waited for, and the source is
 * closed.
 */
export async function* mapConcurrent<A, B>(
  source: SourceInput<A>,
  fn: (item: A, signal: AbortSignal) => B | PromiseLike<B>,
  { concurrency = 8, ordered = true, signal }: MapConcurrentOptions = {},
): AsyncGenerator<B, void, undefined> {
  atLeastOne('concurrency', concurrency)
  signal?.throwIfAborted()
  const input = new SourceReader(source, signal)
  const running = new Map<Call<B>, Promise<void>>()
  /** Calls in the order in which they are handed on: of the items, or of completion. */
  const queue: Call<B>[] = []
  /** Taken from the source and not yet done with by the consumer. */
  let open = 0
  let reading = false
  let finished = false
  let broken: { readonly error: unknown } | undefined
  const notifier = new Notifier()

  const complete = (call: Call<B>, outcome: NonNullable<Call<B>['outcome']>): void => {
    call.outcome = outcome
    running.delete(call)
    if (!ordered) queue.push(call)
    if ('error' in outcome) {
      finished = true
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
        (value) => complete(call, { value }),
        (error: unknown) => complete(call, { error }),
      ),
    )
  }
  const read = async (): Promise<void> => {
    reading = true
    try {
      while (!finished && open < concurrency) {
        open++
        const step = await input.next()
        if (finished || step.done) {
          open--
          finished = true
        } else start(step.value)
      }
    } catch (error) {
      // Thrown when the calls before it have been handed on.
      broken = { error }
      finished = true
    }
    reading = false
    notifier.notify()
  }
  const abort = (reason: unknown): void => {
    finished = true
    for (const { controller } of running.keys()) controller.abort(reason)
  }

  using _ = onAbort(signal, (reason) => {
    abort(reason)
    notifier.notify()
  })
  try {
    for (;;) {
      if (!reading && !finished) void read()
      await notifier.until(
        () => queue[0]?.outcome !== undefined || (finished && running.size === 0) || signal?.aborted === true,
      )
      signal?.throwIfAborted()
      const outcome = queue.shift()?.outcome
      if (!outcome) {
        if (broken) throw broken.error
        return
      }
      if ('error' in outcome) throw outcome.error
      yield outcome.value
      open--
    }
  } catch (error) {
    abort(error)
    await input.abandon()
    throw error
  } finally {
    abort(new DOMException('The consumer left', 'AbortError'))
    await Promise.all(running.values())
    await input.close()
  }
}
