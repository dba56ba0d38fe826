import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import type { NewTable } from '../../load/new-table.ts'
import { NeedsSchemaChange } from '../../load/shape/schema-change.ts'
import { TableEncoder } from '../../load/table-encoder.ts'
import { sharedKeyIn } from '../../load/write-batch.ts'
import type { Page, ReadCounts, Reject } from '../../model/page.ts'

export interface StoredPart {
  /** The records that a run would store. */
  readonly rows: readonly unknown[]
  /** Those of the page, and those of the encoder. */
  readonly rejects: readonly Reject[]
  readonly counts: ReadCounts
  /** A sentence about records that would be lost because they share a key with others and differ from them. */
  readonly sharedKey: string | undefined
}

/** Returns a function that returns the records of a page that a run would store, and its rejects. */
export function pageEncoder(table: NewTable): (page: Page) => StoredPart {
  const encoder = new TableEncoder(table)
  return ({ origins, ...page }) => {
    for (;;) {
      // Without origins a reject holds the record that the encoder refused, which is then found among the records.
      using encoded = encodedOrChange(encoder.encode(page), table)
      if (!encoded) continue
      const { counts, rejects } = encoded
      const sharedKey = sharedKeyIn(encoded, table.table)
      const refused = new Set(rejects.slice(page.rejects.length).map(({ record }) => record))
      if (refused.size === 0) return { rows: page.records, rejects, counts, sharedKey }
      const originOf = new Map(page.records.map((record, index) => [record, origins?.[index] ?? record]))
      return {
        rows: page.records.filter((record) => !refused.has(record)),
        rejects: rejects.map((reject) => ({ ...reject, record: originOf.get(reject.record) ?? reject.record })),
        counts,
        sharedKey,
      }
    }
  }
}

/** Makes the change that a page needs; the page is then encoded again. */
function encodedOrChange(encoded: EncodedPage | NeedsSchemaChange, table: NewTable): EncodedPage | undefined {
  if (!(encoded instanceof NeedsSchemaChange)) return encoded
  table.change(encoded.change)
  return undefined
}
