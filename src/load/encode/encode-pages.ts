import { abortable } from '../../flow/signals/abortable.ts'
import type { Page } from '../../model/page.ts'
import type { EncodedPage } from './encoded-page.ts'
import { NeedsSchemaChange } from '../shape/needs-schema-change.ts'
import type { TableWriter } from '../table-writer.ts'

/**
 * A page that cannot be stored before its table changes. Whoever gets it commits everything before it, changes the
 * table (`writer.change(needed)`) and says so by `settle()`; then the page is encoded again and follows.
 */
export class SchemaChangeRequest {
  readonly page: Page
  readonly needed: NeedsSchemaChange
  readonly settled: Promise<void>
  readonly settle: () => void

  constructor(page: Page, need: NeedsSchemaChange) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.page = page
    this.needed = need
    this.settled = promise
    this.settle = resolve
  }
}

/** Encodes pages as they arrive. Stops at one that asks for a change until that is settled. */
export async function* encodePages(
  pages: AsyncIterable<Page>,
  writer: TableWriter,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<EncodedPage | SchemaChangeRequest> {
  for await (const page of pages) {
    // Whoever leaves before the page is encoded gives back its memory.
    using hold = new DisposableStack()
    if (page.hold) hold.use(page.hold)
    for (;;) {
      signal?.throwIfAborted()
      const encoded = writer.encode(page)
      if (!(encoded instanceof NeedsSchemaChange)) {
        hold.move() // It went when the page was encoded.
        yield encoded
        break
      }
      const change = new SchemaChangeRequest(page, encoded)
      yield change
      await abortable(change.settled, signal)
    }
  }
}
