import type { Database, Transaction } from '../../database/database.ts'
import { sqlState } from '../../database/errors.ts'
import { quoteLiteral } from '../../database/quote.ts'
import { withoutAccount } from '../../model/account.ts'
import type { CountsOfChildren } from '../../model/batch.ts'
import { SchemaError, TooManyDeletesError, UsageError } from '../../model/errors.ts'
import type { MostDeletes } from '../../model/mirror.ts'
import type { Table } from '../../model/recipe.ts'
import { sessionMark, type Slice } from '../../model/slice.ts'
import type { GoneLists } from '../deleted/row-deleter.ts'
import type { OpenTable } from '../open-table.ts'
import { deleteMissing, UNCONFIRMED, type MirrorWindow } from './delete-missing.ts'
import { lockRows } from './lock-rows.ts'
import { beginListsSql } from './mirrored-lists.ts'
import { beginPartSql, beginSql, forgetSql, keyColumnsSql, keyNames, PART } from './mirror-sql.ts'

/** A large table is looked at before a reading begins. */
const MIRROR_TIMEOUT = '2h'

export interface EndMirrorOptions {
  /** Nothing was read, because nothing has changed at the API. */
  readonly isUnread: boolean
  /** Why nothing may be deleted, such as that the reading is open. */
  readonly keptBecause: string | undefined
  /** Why only rows of lists that were read whole may be deleted, such as that one was left out. */
  readonly partBecause: string | undefined
  /** @default that of the table */
  readonly mostDeletes: MostDeletes | undefined
  readonly lists: GoneLists | undefined
  /** The database has refused the transaction at its end before. */
  readonly isCareful: boolean
  /** Records that have left the window are noted as present. */
  readonly isConfirmed: boolean
}

export interface MirrorOptions {
  /** @default all rows of the stream */
  readonly window?: MirrorWindow | undefined
  /** Not all parents are read: lists that are read whole may lose rows. @default false */
  readonly isPart?: boolean
  readonly signal: AbortSignal | undefined
}

/** What a mirror did at the end of its reading. */
export interface Mirrored {
  /** Rows that were deleted or marked. Undefined if the reading could not say which are gone. */
  readonly deleted: number | undefined
  /** Sentences about rows that stay although they are gone, or may be. */
  readonly warnings: readonly string[]
  /** What was done to the lists of these rows. */
  readonly children?: CountsOfChildren
}

/**
 * The mirror of one reading: it deletes the rows of its table that were there when the reading began, and that neither
 * this reading nor another one of the stream has brought since. What it knows is in the ledger, so an interrupted
 * reading goes on.
 */
export class TableMirror {
  readonly #open: OpenTable
  readonly #slice: string

  readonly #window: MirrorWindow | undefined
  readonly #isPart: boolean

  private constructor(open: OpenTable, { window, isPart = false }: MirrorOptions) {
    this.#isPart = isPart
    this.#open = open
    this.#window = window
    this.#slice = open.slice.id
  }

  /**
   * Notes which rows the table has. Call it before anything is requested. Throws if other streams have stored rows in
   * the table, or if the key has a type whose values cannot be compared by hashes.
   */
  static async begin(database: Database, open: OpenTable, options: MirrorOptions): Promise<TableMirror> {
    const { table, slice } = open
    const { window, signal } = options
    const mirror = new TableMirror(open, options)
    // A run that has taken the slice over ends this session, or this run finds that it has lost the slice.
    const sessionTag = sessionMark(slice)
    await using transaction = await database.transaction({ statementTimeout: MIRROR_TIMEOUT, sessionTag, signal })
    await open.guard?.(transaction)
    await TableMirror.refuseOthers(transaction, open)
    const keys = mirror.#keys
    if (keys.length > 0) await mirror.#refuseTypes(transaction)
    const begin = mirror.#isPart ? beginPartSql(table, slice.id, keys) : beginSql(table, slice.id, keys, window?.scope)
    await transaction.run([...begin, ...(table.mirror?.parent ? beginListsSql(slice.id) : [])].join(';\n'))
    // Another run may have taken the slice over in the meantime: what that one has noted must stay.
    await open.guard?.(transaction)
    await transaction.commit()
    return mirror
  }

  /** Returns the mirror of a reading that was interrupted; undefined if it began without one. */
  static async resume(database: Database, open: OpenTable, options: MirrorOptions): Promise<TableMirror | undefined> {
    const on = database.with({ signal: options.signal })
    const mirror = new TableMirror(open, options)
    if (!(await on.maybeOne(`select from sluice.mirrors where slice = ${BigInt(mirror.#slice)}`))) return undefined
    await TableMirror.refuseOthers(on, open)
    return mirror
  }

  /**
   * Waits for other batches that store rows of the table, and lets none begin until the transaction ends. The last
   * batch begins with it: two that share the lock and both want it alone would wait for each other.
   */
  async lock(transaction: Transaction): Promise<void> {
    await lockRows(transaction, this.#open, 'deletes')
  }

  /**
   * Returns the statement that notes why the reading may delete nothing, or nothing but rows of lists that were read
   * whole, for the transaction of a batch.
   */
  keepSql(reason: string, { isPart }: { readonly isPart: boolean }): string {
    const text = isPart ? `${PART}${reason}` : reason
    const earlier = isPart ? '' : ` or kept_because like ${quoteLiteral(`${PART}%`)}`
    return `update sluice.mirrors set kept_because = ${quoteLiteral(text)}
  where slice = ${BigInt(this.#slice)} and (kept_because is null${earlier})`
  }

  /**
   * Deletes the rows that are gone, in the transaction that ends the slice. If there are more than `mostDeletes`
   * allows, deletes nothing and returns an error. A window that is not confirmed deletes nothing either, and goes on.
   */
  async end(
    transaction: Transaction,
    { isUnread, keptBecause, partBecause, ...options }: EndMirrorOptions,
  ): Promise<Mirrored | TooManyDeletesError | typeof UNCONFIRMED> {
    const { table } = this.#open
    const keys = this.#keys
    await this.lock(transaction)
    const state = await transaction.maybeOne<{ rows: string; because: string | null; same: boolean }>(
      `select rows, kept_because as because, key_columns = ${keyColumnsSql(table.name, keys)} as same
       from sluice.mirrors where slice = ${BigInt(this.#slice)}`,
    )
    const forget = async (): Promise<void> => void (await transaction.run(forgetSql(this.#slice).join(';\n')))
    const rows = Number(state?.rows ?? 0)
    const isOtherType = rows > 0 && state?.same === false
    const noted = state?.because ?? undefined
    const notedPart = noted?.startsWith(PART) ? noted.slice(PART.length) : undefined
    const ofState = notedPart === undefined ? noted : undefined
    const because = keptBecause ?? (state ? (ofState ?? (isOtherType ? OTHER_TYPE : undefined)) : FORGOTTEN)
    const part = partBecause ?? notedPart
    if (isUnread || because !== undefined) {
      await forget()
      return { deleted: undefined, warnings: isUnread || because === undefined ? [] : [keptText(table, because)] }
    }
    await TableMirror.refuseOthers(transaction, this.#open)
    const done =
      rows === 0
        ? { deleted: 0, warnings: [] }
        : await deleteMissing(transaction, {
            open: this.#open,
            keys,
            rows,
            window: this.#window,
            isOfLists: this.#isPart || part !== undefined,
            ...options,
          })
    if (done !== UNCONFIRMED) await forget()
    if (part === undefined || done === UNCONFIRMED || done instanceof TooManyDeletesError) return done
    return { ...done, warnings: [partText(table, part), ...done.warnings] }
  }

  /** Forgets it, because the slice restarts. */
  static async clear(transaction: Transaction, open: OpenTable): Promise<void> {
    // A batch that notes its keys for this mirror is committed before, or sees that there is none.
    await lockRows(transaction, open, 'deletes')
    await transaction.run(forgetSql(open.slice.id).join(';\n'))
  }

  /** Empty while the table does not exist. */
  get #keys(): string[] {
    return this.#open.shape ? keyNames(this.#open.fields.columns) : []
  }

  async #refuseTypes(transaction: Transaction): Promise<void> {
    const { table, fields } = this.#open
    const types = fields.columns.filter(({ key }) => key).map(({ type }) => `null::${type.sql}`)
    try {
      await transaction.run(`select hash_record_extended(row(${types.join(', ')}), 0)`)
    } catch (error) {
      if (sqlState(error) !== '42883') throw error
      throw new SchemaError(
        `${table.name}: mirror compares keys by hashes, and one of the types of (${table.key.join(', ')}) has none. ` +
          'Choose another key, or give its column another type, such as text',
        { cause: error },
      )
    }
  }

  /**
   * Throws if other streams have stored rows in a table: nothing says which rows belong to which of its streams, except
   * for those of accounts.
   */
  static async refuseOthers(
    on: Pick<Transaction, 'query'>,
    {
      table,
      slice,
      shape,
    }: Pick<OpenTable, 'table' | 'shape'> & { readonly slice: Pick<Slice, 'pipeline' | 'stream'> },
  ): Promise<void> {
    const pipeline = withoutAccount(slice.pipeline)
    const own = `${pipeline}.${slice.stream}`
    const stored = await on.query<{ writer: string }>(
      `select writer from sluice.writers_of(${quoteLiteral(table.name)}) as w (writer)`,
    )
    const origins = [...(shape?.origins.values() ?? [])].map(({ stream }) => stream)
    const allowed = new Set((table.mirror?.rowsOf ?? []).flatMap((name) => [name, `${pipeline}.${name}`]))
    const others = [...new Set([...stored.map(({ writer }) => writer), ...origins])]
      .filter((name) => name !== own && !allowed.has(name))
      .toSorted()
    const [other] = others
    if (other === undefined) return
    throw new UsageError(
      `${own}: ${table.name} also has rows of ${others.join(', ')}, and mirror would take them for rows whose ` +
        `records are gone. Give each stream a table of its own. If ${other} is a former name of this stream, or its ` +
        `rows may be deleted too, write { mirror: { rowsOf: '${other}' } }. Nothing was deleted`,
    )
  }
}

/** Returns what is told if a mirror deletes nothing. */
export const keptText = ({ name }: Pick<Table, 'name'>, because: string): string =>
  `${name}: mirror deleted nothing: ${because}`

const partText = ({ name }: Pick<Table, 'name'>, because: string): string =>
  `${name}: mirror looked only at rows of lists that were read whole: ${because}`

const FORGOTTEN = 'the ledger no longer has what it had noted. The next reading deletes what is gone'
const OTHER_TYPE = 'the type of its key has changed while it was read. The next reading deletes what is gone'
