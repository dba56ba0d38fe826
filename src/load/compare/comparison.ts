import type { Database } from '../../database/database.ts'
import type { Queryable } from '../../database/queryable.ts'
import { ScratchSession } from '../../database/scratch-session.ts'
import type { DifferenceKind, DifferenceSample, ListDifferences } from '../../model/difference.ts'
import { LoadError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { hasDeletedSql, removeStaleSql } from '../deleted/deleted-rows.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { readShape, type TableShape } from '../shape/table-shape.ts'
import {
  collectAnnouncedSql,
  collectDifferentSql,
  collectExtraSql,
  collectMissingSql,
  columnCountsSql,
  compareAgainSql,
  createExtraSql,
  differingColumns,
  foundAgainSql,
  keyJsonSql,
  samplesSql,
  type Beginning,
  type Compared,
} from './compare-sql.ts'
import { sampleOf, type SampleRow } from './difference-sample.ts'
import { OLDEST_RUNNING } from './oldest-running.ts'
import { followTypes } from './follow-types.ts'
import { ReadRows } from './read-rows.ts'
import { DIFFERENT, EXTRA, READ } from './scratch-sql.ts'

/** Rows of one part of a stream, by what they are to the table; `equal` are those that it has as they are. */
export interface Differences extends Readonly<Record<DifferenceKind, number>> {
  readonly equal: number
}

export interface ComparisonOptions {
  /** The pipeline without its account, and the stream. */
  readonly streamName: string
  /** Tables of nested lists are compared too. @default false */
  readonly lists?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface CompareOptions {
  /** The number of the part that was read. */
  readonly part: number
  /** A run has replaced the rows of the table since the comparison began. @default false */
  readonly isReplaced?: boolean
}

interface Opened extends Pick<Comparison, 'rows' | 'beginning'> {
  readonly session: ScratchSession
  readonly shape: TableShape | undefined
  readonly keepsDeleted: boolean
}

/**
 * Compares the rows of a reading with those of their table by key. It reads the table without locking a row, and writes
 * to temporary tables only. Rows that others write meanwhile are told from those that were there before.
 *
 * 1. `rows` takes the pages of a part of the stream, and `compare` collects what differs. `rows.clear()` begins the
 *    next part.
 * 2. `collectExtra` after it, for rows of the table that the part should have and does not have.
 * 3. `samples`, and `compareAgain` after the differences were put right.
 *
 * @example
 * await using comparison = await Comparison.open(database, table, { streamName: 'billing.customers', signal })
 */
export class Comparison implements AsyncDisposable {
  readonly rows: ReadRows
  readonly beginning: Beginning
  readonly #session: ScratchSession
  readonly #table: Table
  readonly #keepsDeleted: boolean
  #shape: TableShape | undefined
  #isReplaced = false
  #hasExtra = false

  private constructor({ session, rows, beginning, shape, keepsDeleted }: Opened, table: Table) {
    this.#session = session
    this.#table = table
    this.rows = rows
    this.beginning = beginning
    this.#shape = shape
    this.#keepsDeleted = keepsDeleted
  }

  static async open(
    database: Database,
    table: Table,
    { streamName, lists = false, signal }: ComparisonOptions,
  ): Promise<Comparison> {
    await using opened = new AsyncDisposableStack()
    const session = opened.use(await ScratchSession.open(database, { signal }))
    const { keepsDeleted, ...beginning } = await session.one<Beginning & { readonly keepsDeleted: boolean }>(
      `select (${OLDEST_RUNNING})::text as transaction, clock_timestamp()::text as at,
        to_regclass('sluice.deleted_rows') is not null as "keepsDeleted"`,
    )
    const shape = await readShape(session, table)
    const rows = await ReadRows.open(session, table, { streamName, shape, lists })
    opened.move()
    return new Comparison({ session, rows, beginning, shape, keepsDeleted }, table)
  }

  /** False if the table does not exist. All rows are then missing. */
  get exists(): boolean {
    return this.#shape !== undefined
  }

  /** The table as it was when it was last read; undefined if it does not exist. */
  get shape(): TableShape | undefined {
    return this.#shape
  }

  /** Runs a query on the temporary tables. */
  get session(): Queryable {
    return this.#session
  }

  /** Collects the rows of the reading that differ from the table, and returns their numbers. */
  async compare({ part, isReplaced = false }: CompareOptions): Promise<Differences> {
    this.#isReplaced = isReplaced
    await this.rows.keepNewest()
    await this.#removeDeleted()
    // Another run may have created it since.
    this.#shape ??= await readShape(this.#session, this.#table)
    if (this.exists) {
      const compared = await this.#compared()
      for (const [number, shape] of this.rows.shapes.entries())
        await this.#session.query(collectDifferentSql(compared, shape, { number, part }))
    } else await this.#session.query(collectMissingSql({ types: this.rows.columns }, part))
    const { read } = await this.#session.one<{ read: string }>(`select count(*) as read from ${READ}`)
    const found = await this.#session.query<{ kind: DifferenceKind; count: string }>(
      `select "?kind" as kind, count(*) as count from ${DIFFERENT} where "?part" = ${part} group by 1`,
    )
    const counts = new Map(found.map(({ kind, count }) => [kind, Number(count)]))
    const of = (kind: DifferenceKind): number => counts.get(kind) ?? 0
    const differ = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return {
      equal: Number(read) - differ,
      missing: of('missing'),
      stale: of('stale'),
      newer: of('newer'),
      changed: of('changed'),
      unread: of('unread'),
    }
  }

  /** Compares the nested lists of the part; call it after `compare`. Undefined without lists. */
  async compareLists(part: number, limit: number): Promise<ListDifferences[] | undefined> {
    const { lists, columns: types, shapes } = this.rows
    if (!lists || this.#keys.length === 0) return undefined
    const root = this.exists ? await this.#compared() : undefined
    return lists.compare({ root, types, keys: this.#keys, shapes, beginning: this.beginning, part, limit })
  }

  /** Returns for each nested list how many entries of extra rows its table has. */
  async countListsOfExtra(): Promise<readonly number[]> {
    return (this.#hasExtra && (await this.rows.lists?.countOfExtra(this.#keys, this.beginning))) || []
  }

  /**
   * Collects rows of the table that the part does not have, and those whose records were announced as deleted. Returns
   * how many more were written since the comparison began. `scope` is a condition on the columns of the table; without
   * one, rows that the part does not have are not collected, because they may belong to another part.
   */
  async collectExtra({ part, scope }: { readonly part: number; readonly scope: string | undefined }): Promise<number> {
    const keys = this.#keys
    if (!this.exists || keys.length === 0) return 0
    const compared = await this.#compared()
    if (!this.#hasExtra) await this.#session.query(createExtraSql(keys).join(';\n'))
    this.#hasExtra = true
    const { gone } = this.rows
    if (gone) await this.#session.query(collectAnnouncedSql(compared, gone, { part }))
    if (scope === undefined) return 0
    const { changed } = await this.#session.one<{ changed: string }>(
      collectExtraSql(compared, { keys, gone, part, scope }),
    )
    return Number(changed)
  }

  /** Takes rows that `rows` has now from the extra ones: their records were only not in the part that was read. */
  async findAgain(): Promise<void> {
    if (this.#hasExtra) await this.#session.query(foundAgainSql(this.#keys))
  }

  /** Returns the number of extra rows of each part, and how many of them were announced as deleted. */
  async countExtra(): Promise<ReadonlyMap<number, { readonly extra: number; readonly announced: number }>> {
    if (!this.#hasExtra) return new Map()
    const rows = await this.#session.query<{ part: number; extra: string; announced: string }>(
      `select "?part" as part, count(*) as extra, count(*) filter (where "?announced") as announced
        from ${EXTRA} group by 1`,
    )
    return new Map(
      rows.map(({ part, extra, announced }) => [part, { extra: Number(extra), announced: Number(announced) }]),
    )
  }

  /** Returns the first rows of each kind that differ in a part. */
  async samples({
    part,
    kinds,
    limit,
  }: {
    readonly part: number
    readonly kinds: readonly DifferenceKind[]
    readonly limit: number
  }): Promise<DifferenceSample[]> {
    if (!this.exists) return []
    const compared = await this.#compared()
    const found: DifferenceSample[] = []
    for (const kind of kinds) {
      const some: DifferenceSample[] = []
      for (const [number, shape] of this.rows.shapes.entries()) {
        const rows = await this.#session.query<SampleRow>(
          samplesSql(compared, shape, { number, part, kind, limit: limit - some.length }),
        )
        some.push(...rows.map((row) => sampleOf(kind, row)))
      }
      found.push(...some)
    }
    return found
  }

  /** Returns the keys of the first extra rows of a part. */
  async extraSamples(part: number, limit: number): Promise<DifferenceSample[]> {
    if (!this.#hasExtra) return []
    const rows = await this.#session.query<SampleRow>(
      `select ${keyJsonSql('e', this.#keys)} as key, null as columns from ${EXTRA} as e
        where "?part" = ${part} limit ${limit}`,
    )
    return rows.map((row) => sampleOf('extra', row))
  }

  /** Returns for each column in how many of the stale rows it differs. */
  async columnCounts(): Promise<ReadonlyMap<string, number>> {
    const counted = new Map<string, number>()
    if (!this.exists) return counted
    const compared = await this.#compared()
    for (const [number, shape] of this.rows.shapes.entries()) {
      const { counts } = await this.#session.one<{ counts: readonly string[] }>(
        columnCountsSql(compared, shape, number),
      )
      for (const [index, { name }] of differingColumns(shape).entries()) {
        const count = Number(counts[index] ?? 0)
        if (count > 0) counted.set(name, (counted.get(name) ?? 0) + count)
      }
    }
    return counted
  }

  /** Compares missing and stale rows once more, and returns how many of them still are. */
  async compareAgain(): Promise<{ readonly missing: number; readonly stale: number }> {
    this.#shape ??= await readShape(this.#session, this.#table)
    if (this.exists) {
      const compared = await this.#compared()
      for (const [number, shape] of this.rows.shapes.entries())
        await this.#session.query(compareAgainSql(compared, shape, number))
    }
    const { missing, stale } = await this.#session.one<{ missing: string; stale: string }>(
      `select count(*) filter (where "?kind" = 'missing') as missing,
        count(*) filter (where "?kind" = 'stale') as stale from ${DIFFERENT}`,
    )
    return { missing: Number(missing), stale: Number(stale) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }

  get #keys(): LoadedColumn[] {
    return this.rows.shapes.at(-1)?.columns.filter(({ key }) => key) ?? this.rows.keys
  }

  /** A run does not store a row again that is older than the deletion of its record. */
  async #removeDeleted(): Promise<void> {
    const { name, write } = this.#table
    const shape = this.rows.shapes.findLast(({ version }) => version !== undefined)
    if (write !== 'merge' || !shape?.version || !this.#keepsDeleted) return
    const { found } = await this.#session.one<{ found: boolean }>(hasDeletedSql(name))
    if (found) await this.#session.query(removeStaleSql(name, READ, shape.columns, shape.version))
  }

  /** Reads the table again, which may have changed since: other runs may go on. */
  async #compared(): Promise<Compared> {
    const before = this.#shape
    const shape = await readShape(this.#session, this.#table)
    if (!shape || !before) throw new LoadError(`${this.#table.name}: the table was dropped while it was compared`)
    await followTypes(this.rows, before, shape)
    this.#shape = shape
    return {
      table: this.#table,
      shape,
      types: this.rows.columns,
      beginning: this.beginning,
      keepsDeleted: this.#keepsDeleted,
      isReplaced: this.#isReplaced,
    }
  }
}
