// Pages whose records hold lists that are stored in tables of their own.
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Page, Reject } from '../../model/page.ts'
import { defined } from '../../value/defined.ts'
import { EncodedRows, type EncodedPage, type NestedRows } from '../encode/encoded-page.ts'
import type { OpenTable } from '../open-table.ts'
import { NeedsSchemaChange } from '../shape/schema-change.ts'
import { KINDS } from '../shape/widening.ts'
import type { TableEncoder } from '../table-encoder.ts'
import type { ColumnType } from '../values/column-type.ts'
import { childRows, type ChildRows } from './child-rows.ts'
import type { ChildTable } from './child-tables.ts'

/** A table of nested lists whose rows are encoded. */
export interface EncodedChild {
  readonly child: ChildTable
  readonly open: Pick<OpenTable, 'fields' | 'warn'>
  readonly encoder: TableEncoder
}

/** A table of nested lists that is open. */
export interface OpenChild extends EncodedChild {
  readonly open: OpenTable
}

/**
 * Encodes pages with the rows of their nested lists. A record is stored with all its entries or not at all: an entry
 * that does not fit rejects its record.
 */
export class NestedEncoder {
  readonly #root: Pick<OpenTable, 'table' | 'fields'>
  readonly #encoder: TableEncoder
  readonly #children: readonly EncodedChild[]
  #hasWarned = false

  constructor(root: Pick<OpenTable, 'table' | 'fields'>, encoder: TableEncoder, children: readonly EncodedChild[]) {
    this.#root = root
    this.#encoder = encoder
    this.#children = children
  }

  /** Returns the rows of a page, or the change that one of its tables needs first. */
  encode({ hold, ...given }: Page): EncodedPage | NeedsSchemaChange {
    for (let page: Page = given; ;) {
      const rows = this.#encoder.encode(page)
      if (rows instanceof NeedsSchemaChange) return rows
      if (!(rows instanceof EncodedRows)) throw new TypeError('a page is encoded as rows')
      const nested = this.#nested(page, rows)
      if ('attached' in nested) {
        rows.attach(nested.attached)
        hold?.[Symbol.dispose]()
        return rows
      }
      rows[Symbol.dispose]()
      if (nested.refused instanceof NeedsSchemaChange) return nested.refused
      page = without(page, nested.refused)
    }
  }

  #nested(
    page: Page,
    rows: EncodedRows,
  ):
    | { readonly attached: readonly (NestedRows | undefined)[] }
    | { readonly refused: NeedsSchemaChange | ReadonlyMap<number, string> } {
    const stored = Array.from(rows.recordOf, (record) => page.records[record])
    const collected = childRows(
      stored,
      this.#root.table.key,
      this.#children.map(({ child }) => child),
    )
    /** Reasons by the number of the stored row. */
    const refused = new Map(collected.problems)
    const attached: (NestedRows | undefined)[] = []
    const dispose = (): void => {
      for (const one of attached) one?.rows[Symbol.dispose]()
    }
    for (const [index, one] of this.#children.entries()) {
      const widening = this.#keyChange(one)
      const entries = collected.of.get(one.child)
      const encoded = widening ?? (entries && entries.rows.length > 0 ? one.encoder.encode(pageOf(entries)) : undefined)
      if (encoded instanceof NeedsSchemaChange) {
        dispose()
        return { refused: new NeedsSchemaChange(encoded.change, index) }
      }
      if (!(encoded instanceof EncodedRows) || !entries) {
        attached.push(undefined)
        continue
      }
      for (const { record, reason } of encoded.rejects)
        if (!refused.has(record as number)) refused.set(record as number, `${one.child.path}: ${reason}`)
      attached.push(this.#attach(encoded, entries, rows.rows, one))
    }
    if (refused.size === 0) return { attached }
    dispose()
    return { refused: new Map([...refused].map(([row, reason]) => [rows.recordOf[row] ?? 0, reason])) }
  }

  /** Finds the entries of each row, and those that others of their list replace. */
  #attach(encoded: EncodedRows, entries: ChildRows, parents: number, { child, open }: EncodedChild): NestedRows {
    const starts = new Uint32Array(parents + 1)
    for (const record of entries.recordOf) starts[record + 1] = (starts[record + 1] ?? 0) + 1
    for (let row = 0; row < parents; row += 1) starts[row + 1] = (starts[row + 1] ?? 0) + (starts[row] ?? 0)
    const dropped = new Set<number>()
    const last = new Map<string, number>()
    for (const [row, key] of encoded.keys.entries()) {
      const before = last.get(key)
      last.set(key, row)
      if (before === undefined || entries.recordOf[before] !== entries.recordOf[row]) continue
      dropped.add(before)
      if (!this.#hasWarned && !encoded.hasEqualRows(before, row)) {
        this.#hasWarned = true
        open.warn(
          `${child.table.name}: a list ${child.path} has entries that share their key and differ, such as ` +
            `${child.table.key.join(', ')} = ${key.replaceAll('\t', ', ')}: only the last of each is stored. ` +
            'Name the whole key of an entry, or leave the key out',
        )
      }
    }
    return { rows: encoded, starts, dropped }
  }

  /** Returns the change that gives the parent's key the type that it has in the parent's table. */
  #keyChange({ child, open }: EncodedChild): NeedsSchemaChange | undefined {
    for (const [index, field] of this.#root.table.key.entries()) {
      const [own, parents] = [open.fields.loaded(child.parentFields[index] ?? ''), this.#root.fields.loaded(field)]
      if (!own || !parents || isComparable(own.type, parents.type)) continue
      const to = own.declared ? undefined : KINDS[parents.type.base]
      if (to !== undefined) return new NeedsSchemaChange({ add: [], widen: [{ column: own, to }], load: false })
      const column = quoteIdentifier(own.name)
      throw new SchemaError(
        `${child.table.name}: the column ${own.name} is ${own.type.sql}, and the parent's key is ` +
          `${parents.type.sql}. Run: alter table ${quoteTable(child.table.name)} alter column ${column} ` +
          `type ${parents.type.sql} using ${column}::${parents.type.sql}`,
      )
    }
    return undefined
  }
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric'])

const isComparable = (one: ColumnType, other: ColumnType): boolean =>
  one.base === other.base || (NUMBERS.has(one.base) && NUMBERS.has(other.base))

/** The entries as a page. What is rejected is known by the number of its record. */
const pageOf = ({ rows, recordOf }: ChildRows): Page => ({
  records: rows,
  origins: recordOf,
  counts: { fetched: rows.length, expanded: 0, filtered: 0, duplicate: 0, deleted: 0, rejected: 0, parents: 0 },
  rejects: [],
})

/** Returns a page without records that cannot be stored, which are rejected. */
function without(page: Page, refused: ReadonlyMap<number, string>): Page {
  const kept = (_: unknown, index: number): boolean => !refused.has(index)
  const rejects = [...refused].map(([index, reason]): Reject => ({
    stage: page.rejectStage ?? 'encode',
    reason,
    record: (page.origins ?? page.records)[index],
    ...defined({ parents: page.parents }),
  }))
  const before = (place: number): number => [...refused.keys()].filter((index) => index < place).length
  return {
    ...page,
    ...defined({
      tombstones: page.tombstones?.map((one) => ({ ...one, before: one.before - before(one.before) })),
    }),
    records: page.records.filter(kept),
    present: [...(page.present ?? []), ...page.records.filter((_, index) => refused.has(index))],
    ...defined({ origins: page.origins?.filter(kept) }),
    rejects: [...page.rejects, ...rejects],
    counts: { ...page.counts, rejected: page.counts.rejected + rejects.length },
  }
}
