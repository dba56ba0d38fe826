import { abortable } from '../../flow/signals/abortable.ts'
import type { Page } from '../../model/page.ts'
import { NeedsSchemaChange } from '../shape/schema-change.ts'
import type { EncodedPage } from './encoded-page.ts'

/** `changed`: the table has changed, and the page is not stored yet. */
export type Settlement = 'changed' | 'stored'

/**
 * A page that cannot be stored before its table changes. The consumer commits everything before it, changes the table
 * (`writer.change(needed)`) and calls `settle('changed')`. Then the page is encoded again and follows. If the consumer
 * stores the page with the change, it calls `settle('stored')`.
 */
export class SchemaChangeRequest {
  readonly page: Page
  readonly needed: NeedsSchemaChange
  readonly settled: Promise<Settlement>
  readonly settle: (settlement: Settlement) => void

  constructor(page: Page, needed: NeedsSchemaChange) {
    const { promise, resolve } = Promise.withResolvers<Settlement>()
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
      if ((await abortable(change.settled, signal)) === 'stored') break
    }
  }
}
