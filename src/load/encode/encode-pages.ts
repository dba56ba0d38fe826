import { abortable } from '../../flow/signals/abortable.ts'
import type { Page } from '../../model/page.ts'
import { NeedsSchemaChange } from '../shape/schema-change.ts'
import type { EncodedPage } from './encoded-page.ts'

/**
 * A page that cannot be stored before its table changes. The consumer commits everything before it, changes the table
 * (`writer.change(needed)`) and calls `settle()`. Then the page is encoded again and follows.
 */
export class SchemaChangeRequest {
  readonly page: Page
  readonly needed: NeedsSchemaChange
  readonly settled: Promise<void>
  readonly settle: () => void

  constructor(page: Page, needed: NeedsSchemaChange) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.page = page
    this.needed = needed
    this.settled = promise
    this.settle = resolve
  }
}

/** The part of a table writer that is needed here. */
export interface Encoder {
  encode(page: Page): EncodedPage | NeedsSchemaChange
}

/** Encodes pages as they arrive. Pauses at a page that needs a change of the table until the change is settled. */
export async function* encodePages(
  pages: AsyncIterable<Page>,
  encoder: Encoder,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<EncodedPage | SchemaChangeRequest> {
  for await (const page of pages) {
    // Releases the page's memory if the consumer leaves before the page is encoded.
    using hold = new DisposableStack()
    if (page.hold) hold.use(page.hold)
    for (;;) {
      signal?.throwIfAborted()
      const encoded = encoder.encode(page)
      if (!(encoded instanceof NeedsSchemaChange)) {
        hold.move() // `encode` has released it.
        yield encoded
        break
      }
      const change = new SchemaChangeRequest(page, encoded)
      yield change
      await abortable(change.settled, signal)
    }
  }
}
