import { atLeastOne } from './at-least-one.ts'
import { defineErrorName } from '../value/error.ts'
import { onAbort } from './signals/on-abort.ts'

/** An item was sent to a closed channel. */
export class ChannelClosedError extends Error {
  static {
    defineErrorName(this)
  }
}

interface WaitOptions {
  readonly signal?: AbortSignal | undefined
}
interface Sender<T> {
  readonly item: T
  readonly sent: () => void
  readonly failed: (error: unknown) => void
}
interface Reader<T> {
  readonly got: (result: IteratorResult<T, undefined>) => void
  readonly failed: (error: unknown) => void
}

/**
 * A bounded queue between tasks. `send` waits while it is full and `receive` while it is empty, in the order of the
 * calls. Several readers share the items. After `close`, readers get the queued items, and then the end or the reason;
 * `send` throws `ChannelClosedError`.
 */
export class Channel<T> implements AsyncIterable<T>, Disposable {
  readonly #capacity: number
  readonly #items: T[] = []
  readonly #senders: Sender<T>[] = []
  readonly #readers: Reader<T>[] = []
  #closed: { readonly isFailed: boolean; readonly reason: unknown } | undefined

  constructor(capacity: number) {
    this.#capacity = atLeastOne('capacity', capacity)
  }

  /** Queues an item, and waits while the channel is full. */
  async send(item: T, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#closed) throw this.#closedError()
    const reader = this.#readers.shift()
    if (reader) return reader.got({ done: false, value: item })
    if (this.#items.length < this.#capacity) return void this.#items.push(item)
    const { promise, resolve: sent, reject: failed } = Promise.withResolvers<void>()
    const sender = { item, sent, failed }
    this.#senders.push(sender)
    using _ = onAbort(signal, (reason) => {
      remove(this.#senders, sender)
      failed(reason)
    })
    await promise
  }

  /** Returns the next item, or the end. A cancelled call takes no item. */
  async receive({ signal }: WaitOptions = {}): Promise<IteratorResult<T, undefined>> {
    signal?.throwIfAborted()
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T
      const sender = this.#senders.shift()
      if (sender) {
        this.#items.push(sender.item)
        sender.sent()
      }
      return { done: false, value }
    }
    if (this.#closed?.isFailed) throw this.#closed.reason
    if (this.#closed) return { done: true, value: undefined }
    const { promise, resolve: got, reject: failed } = Promise.withResolvers<IteratorResult<T, undefined>>()
    const reader = { got, failed }
    this.#readers.push(reader)
    using _ = onAbort(signal, (reason) => {
      remove(this.#readers, reader)
      failed(reason)
    })
    return await promise
  }

  /** Ends the channel. With a reason, readers get the queued items and then this reason as an error. */
  close(reason?: unknown): void {
    if (this.#closed) return
    this.#closed = { isFailed: reason !== undefined, reason }
    for (const { failed } of this.#senders.splice(0)) failed(this.#closedError())
    for (const { got, failed } of this.#readers.splice(0)) {
      if (reason === undefined) got({ done: true, value: undefined })
      else failed(reason)
    }
  }

  /** Yields all items until the channel is closed. */
  async *read(options: WaitOptions = {}): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const { done, value } = await this.receive(options)
      if (done) return
      yield value
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.read()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #closedError(): ChannelClosedError {
    const reason = this.#closed?.reason
    return new ChannelClosedError('Cannot send to a closed channel', reason === undefined ? {} : { cause: reason })
  }
}

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item)
  if (index >= 0) list.splice(index, 1)
}
