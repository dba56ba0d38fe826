import { createHash } from 'node:crypto'
import { removesAnnounced } from '../model/deletions.ts'
import type { Page } from '../model/page.ts'
import { TombstoneEncoder, type PageTombstones } from './deleted/encode-tombstones.ts'
import { ChunkRing } from './encode/chunk-ring.ts'
import type { EncodedPage, EncodedRows } from './encode/encoded-page.ts'
import { mismatchPolicy } from './encode/mismatch-policy.ts'
import { PageEncoder } from './encode/page-encoder.ts'
import { CORRECT_IT } from './encode/remedy.ts'
import type { RowEncoderOptions } from './encode/row-encoder.ts'
import { rowVersion } from './encode/row-version.ts'
import { ValueSampler } from './encode/value-sampler.ts'
import { parentKeys, presentKeys } from './mirror/present-keys.ts'
import { PartitionCover } from './partition/partition-cover.ts'
import type { Partitions } from './partition/partitions.ts'
import { flatRecords } from './nested/flat-records.ts'
import type { OpenTable } from './open-table.ts'
import { readsEmptyAsNull, type Fields } from './shape/fields.ts'
import { overflowRecords } from './shape/overflow.ts'
import { isEmptyChange, NeedsSchemaChange, schemaChangeFor } from './shape/schema-change.ts'
import { systemColumns } from './shape/system-columns.ts'
import { columnType } from './values/column-type.ts'
import type { MismatchPolicy } from './values/type-mismatch.ts'
import { isRecord } from './values/value-kind.ts'

/** The members of a table that its encoder needs. */
export type EncodedTable = Pick<
  OpenTable,
  'table' | 'slice' | 'shape' | 'fields' | 'contract' | 'isPlainAppend' | 'isIncomplete' | 'run'
>

/** Encodes pages for the table of a slice. The page encoder is compiled once for each list of columns. */
export class TableEncoder {
  readonly #open: EncodedTable
  readonly #ring = new ChunkRing()
  readonly #sampler = new ValueSampler()
  #tombstones: { readonly fields: Fields; readonly encoder: TombstoneEncoder } | undefined
  #compiled: { readonly fields: Fields; readonly encoder: PageEncoder } | undefined

  #partitions: { readonly of: Partitions; readonly cover: PartitionCover } | undefined
  #flattened: { readonly of: Page; readonly page: Page } | undefined

  constructor(open: EncodedTable) {
    this.#open = open
  }

  /** Returns the rows of a page, or the change that the table needs first. Releases the page's memory with the rows. */
  encode(given: Page): EncodedPage | NeedsSchemaChange {
    const flat = this.#flat(given)
    this.#learn(flat)
    const read = this.#overflowing(flat)
    const { table, fields, contract, isIncomplete } = this.#open
    const hasColumns = fields.columns.some(({ constant }) => constant === undefined) || read.records.length === 0
    if (hasColumns && isIncomplete) return new NeedsSchemaChange({ add: [], widen: [], load: true })
    const tombstones = this.#tombstonesOf(read)
    const page = tombstones?.page ?? read
    const cover = this.#uncovered(flat)
    if (cover.length > 0) return new NeedsSchemaChange({ add: [], widen: [], load: false, cover })
    const encoder = hasColumns ? this.#encoder() : undefined
    const encoded = encoder?.encode(page, this.#policy(true)) ?? 'change'
    if (encoded !== 'change') return this.#released(page, encoded, tombstones)
    const change = schemaChangeFor(page, fields, table)
    const mayChange = hasColumns || contract === 'evolve'
    if (mayChange && !isEmptyChange(change)) return new NeedsSchemaChange(change)
    return this.#released(page, this.#encodeUnchanged(page, encoder ?? this.#rejectingEncoder()), tombstones)
  }

  /** Returns the keys of rows that go. A table that does not exist yet has none. */
  #tombstonesOf(page: Page): PageTombstones | undefined {
    const { table, fields } = this.#open
    if (!page.tombstones || page.tombstones.length === 0 || !removesAnnounced(table)) return undefined
    if (!table.key.every((field) => fields.loaded(field))) return undefined
    if (this.#tombstones?.fields !== fields)
      this.#tombstones = { fields, encoder: new TombstoneEncoder(table, fields, rowVersion(this.#open)) }
    return this.#tombstones.encoder.encode(page)
  }

  /** Returns the times of a page that have no partition yet. For each page they are named once. */
  #uncovered(page: Page): readonly number[] {
    const { shape, fields } = this.#open
    if (!shape?.partitions) return []
    if (this.#partitions?.of !== shape.partitions)
      this.#partitions = { of: shape.partitions, cover: new PartitionCover(shape.partitions, fields) }
    return this.#partitions.cover.missing(page)
  }

  #released(page: Page, encoded: EncodedRows, tombstones: PageTombstones | undefined): EncodedRows {
    page.hold?.[Symbol.dispose]()
    if (tombstones && encoded.rowsBefore) encoded.tombstones = tombstones.at(encoded.rowsBefore)
    const { present = [], records, wholeLists = [] } = page
    const { mirror } = this.#open.table
    const rejected = [...present, ...encoded.refused.map((index) => records[index])]
    if (mirror && rejected.length > 0) encoded.present = presentKeys(rejected, this.#open.fields)
    if (mirror?.parent && wholeLists.length > 0)
      encoded.wholeLists = parentKeys(wholeLists, this.#open.fields, mirror.parent)
    return encoded
  }

  /** Encodes a page for which no change of the table could help: records that do not fit are rejected. */
  #encodeUnchanged(page: Page, encoder: PageEncoder): EncodedRows {
    const encoded = encoder.encode(page, this.#policy(false))
    if (encoded === 'change') throw new TypeError('A policy without changes asked for a change')
    return encoded
  }

  /** Returns the page with flattened records. It is kept, because the page may be encoded again after a change. */
  #flat(page: Page): Page {
    if (!this.#open.table.flatten) return page
    if (this.#flattened?.of !== page) {
      const records = flatRecords(page.records, this.#open.table, this.#open.fields)
      this.#flattened = { of: page, page: { ...page, records, origins: page.origins ?? page.records } }
    }
    return this.#flattened.page
  }

  /** Returns the page with records whose fields all have room in the table. After a change there may be less of it. */
  #overflowing(page: Page): Page {
    if (!this.#open.table.overflow) return page
    const records = overflowRecords(page.records, this.#open)
    return { ...page, records, origins: page.origins ?? page.records }
  }

  #policy(mayChange: boolean): MismatchPolicy {
    const { table, fields, contract } = this.#open
    return mismatchPolicy({ table, fields, contract, mayChange })
  }

  #learn(page: Page): void {
    const { fields } = this.#open
    for (const record of page.records) {
      if (!isRecord(record)) continue
      const unknown = fields.unknownOf(record)
      if (unknown.length === 0) continue
      fields.learn(unknown)
      this.#compiled = undefined
    }
  }

  #encoder(): PageEncoder {
    const { fields } = this.#open
    if (this.#compiled?.fields !== fields) this.#compiled = { fields, encoder: this.#compile() }
    return this.#compiled.encoder
  }

  #compile(): PageEncoder {
    const { fields, isPlainAppend, shape, slice } = this.#open
    const { columns } = fields
    const constant = isPlainAppend && shape?.hasSlice ? { name: systemColumns.slice, text: slice.id } : undefined
    const { absent, lineage: hasLineage } = this.#open.table
    const marksAbsent = absent === 'keep'
    const lineage = hasLineage ? { run: this.#open.run } : undefined
    const hash = createHash('sha256')
      .update(
        JSON.stringify([
          columns.map(({ name, type }) => [name, type.sql]),
          constant?.name,
          ...(marksAbsent ? ['absent'] : []),
          ...(lineage ? ['lineage'] : []),
        ]),
      )
      .digest('hex')
      .slice(0, 16)
    return new PageEncoder(
      { hash, columns, version: rowVersion(this.#open), constant, lineage, marksAbsent, lists: this.#lists },
      { undetermined: this.#undetermined(), ring: this.#ring, sampler: this.#sampler },
    )
  }

  /** The fields of nested lists that have tables. */
  get #lists(): string[] {
    const { children = {} } = this.#open.table
    return Object.keys(children).filter((field) => children[field] !== undefined)
  }

  #undetermined(): RowEncoderOptions['undetermined'] {
    const { table, fields } = this.#open
    return fields.undetermined.map((field) => ({ field, emptyIsNull: readsEmptyAsNull(table, field) }))
  }

  /** Returns an encoder that rejects all records: the table has no column, and none can be made of these values. */
  #rejectingEncoder(): PageEncoder {
    const { table, fields } = this.#open
    const keys = table.key.map((field) => fields.describe(field, columnType('text')))
    const undetermined = this.#undetermined().filter(({ field }) => !table.key.includes(field))
    return new PageEncoder(
      { hash: '', columns: keys, version: undefined, constant: undefined },
      { undetermined, ring: this.#ring, refuse: `it has no value that a column could be made of. ${CORRECT_IT}` },
    )
  }
}
