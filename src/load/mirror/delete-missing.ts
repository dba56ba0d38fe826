// The end of a complete reading of a mirror: which rows are gone, whether so many may be, and their deletion.
import { isRowError } from '../../database/errors.ts'
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { marksDeleted } from '../../model/deletions.ts'
import { LoadError, TooManyDeletesError } from '../../model/errors.ts'
import { deleteLimit, type MostDeletes } from '../../model/mirror.ts'
import { formatCount, formatNumber } from '../../value/format.ts'
import { deleteRowsSql, notMarkedSql, sameKeySql } from '../deleted/deleted-rows.ts'
import { refusal, type GoneLists } from '../deleted/row-deleter.ts'
import { rowVersion } from '../encode/row-version.ts'
import { TO } from '../history/columns.ts'
import { endMissingSql } from '../history/missing-rows.ts'
import type { OpenTable } from '../open-table.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { collectGoneOfLists } from './mirrored-lists.ts'
import { goneRowsSql, missingSql } from './mirror-sql.ts'
import type { Mirrored } from './table-mirror.ts'

/** Keys that a message quotes. */
const QUOTED = 3

/** A part of the table: the rows of a window of a backfill. */
export interface MirrorWindow {
  readonly lower: string
  readonly upper: string
  /** The condition of its rows. */
  readonly scope: string
}

/** Rows of a window are missing, and their records may have left it. */
export const UNCONFIRMED = 'unconfirmed'

export interface DeleteMissingOptions {
  readonly window: MirrorWindow | undefined
  readonly isConfirmed: boolean
  /** Only rows of lists that were read whole. */
  readonly isOfLists: boolean
  readonly open: OpenTable
  readonly keys: readonly string[]
  /** Rows of the table when the reading began. */
  readonly rows: number
  readonly mostDeletes: MostDeletes | undefined
  readonly lists: GoneLists | undefined
  /** The database has refused this transaction at its end: constraints are checked at once. */
  readonly isCareful: boolean
}

let tables = 0

/**
 * Deletes, or marks, the rows that were there when the reading began and were not brought since. Returns an error if
 * these are too many.
 */
export async function deleteMissing(
  transaction: Transaction,
  options: DeleteMissingOptions,
): Promise<Mirrored | TooManyDeletesError | typeof UNCONFIRMED> {
  const { open, keys, mostDeletes, isCareful, window } = options
  const { table } = open
  tables += 1
  const name = `sluice_gone_${tables}`
  const rows = await collectGone(transaction, options, name)
  if (rows === undefined) return { deleted: 0, warnings: [] }
  const gone = await readGone(transaction, name, keys)
  if (gone.count === 0) return { deleted: 0, warnings: [] }
  const limit = deleteLimit(mostDeletes ?? table.mostDeletes, rows)
  if (gone.count > limit) return tooMany(options, { rows, gone, limit })
  if (window && !options.isConfirmed) return UNCONFIRMED
  // A deferred foreign key would pass each savepoint and fail the COMMIT.
  if (isCareful) await transaction.run('set constraints all immediate')
  const refused: Refused[] = []
  const deleted = await deletePart(transaction, name, { ...options, from: 1, to: gone.count, refused })
  const isLeft = deleted + refused.length < gone.count
  const left = isLeft ? (await countLeft(transaction, name, open)) - refused.length : 0
  const warnings = [refused.length > 0 && refusedText(open, refused), left > 0 && leftText(open, left)]
  return { deleted, warnings: warnings.filter((text) => text !== false) }
}

/** Returns how many rows are still there, be it because the database refused to delete them or because of a trigger. */
async function countLeft(transaction: Transaction, name: string, { table, fields }: OpenTable): Promise<number> {
  const { count } = await transaction.one<{ count: string }>(
    `select count(*) as count from pg_temp.${name} as d
      join ${quoteTable(table.name)} as t on ${sameKeySql('t', 'd', fields.columns)}${notMarkedSql(table)}` +
      (table.write === 'history' ? ` and t.${TO} is null` : ''),
  )
  return Number(count)
}

/**
 * Makes a temporary table of the keys of rows that are gone. Returns how many rows there were of which they are a part;
 * undefined if none is gone.
 */
async function collectGone(
  transaction: Transaction,
  { open, keys, rows, window, isOfLists }: DeleteMissingOptions,
  name: string,
): Promise<number | undefined> {
  const { table, slice } = open
  const ofRows = rowVersion(open)
  const version = ofRows && !ofRows.key ? { name: ofRows.name, type: ofRows.type.sql } : undefined
  if (isOfLists) return collectGoneOfLists(transaction, open, { name, keys, version })
  const missing = `${name}_hashes`
  await transaction.run(missingSql(missing, slice.id).join(';\n'))
  const { found } = await transaction.one<{ found: boolean }>(`select exists (select from pg_temp.${missing}) as found`)
  if (!found) return undefined
  const scope = window?.scope
  await transaction.run(goneRowsSql({ name, missing, table, slice: slice.id, keys, version, scope }).join(';\n'))
  return rows
}

interface Gone {
  readonly count: number
  /** The keys of the first ones, as `id = 5, 7 and 9`. */
  readonly examples: string
}

async function readGone(transaction: Transaction, name: string, keys: readonly string[]): Promise<Gone> {
  const { count } = await transaction.one<{ count: string }>(`select count(*) as count from pg_temp.${name}`)
  const examples = await transaction.query<{ key: string }>(
    `select ${keyOf(keys)} as key from pg_temp.${name} order by n limit ${QUOTED}`,
  )
  const names = keys.length === 1 ? (keys[0] ?? '') : `(${keys.join(', ')})`
  return { count: Number(count), examples: `${names} = ${examples.map(({ key }) => key).join(', ')}` }
}

/** Returns an expression for the key of a row, for people. */
function keyOf(keys: readonly string[]): string {
  const texts = keys.map((key) => `${quoteIdentifier(key)}::text`)
  return texts.length === 1 ? (texts[0] ?? '') : `'(' || concat_ws(', ', ${texts.join(', ')}) || ')'`
}

interface Refused {
  readonly n: number
  readonly reason: string
  readonly key: string
}

interface PartOptions extends DeleteMissingOptions {
  readonly from: number
  readonly to: number
  /** Rows that the database refuses to delete. */
  readonly refused: Refused[]
}

/** Deletes rows by their numbers, and returns how many. A part that the database refuses is halved. */
async function deletePart(transaction: Transaction, name: string, options: PartOptions): Promise<number> {
  const { from, to, refused } = options
  const { table } = options.open
  try {
    await using savepoint = await transaction.savepoint()
    const deleted = await deleteRows(transaction, name, options)
    await savepoint.release()
    return deleted
  } catch (error) {
    if (!(error instanceof Error) || !isRowError(error)) throw error
    if (from === to) {
      const { key } = await transaction.one<{ key: string }>(
        `select ${keyOf(options.keys)} as key from pg_temp.${name} where n = ${from}`,
      )
      refused.push({ n: from, reason: refusal(error), key })
      if (refused.length > table.maxRejects) throw tooManyRefused(options.open, refused)
      return 0
    }
    const middle = (from + to) >> 1
    const first = await deletePart(transaction, name, { ...options, to: middle })
    return first + (await deletePart(transaction, name, { ...options, from: middle + 1 }))
  }
}

async function deleteRows(
  transaction: Transaction,
  name: string,
  { open, from, to, lists }: PartOptions,
): Promise<number> {
  const { table, slice, fields } = open
  const source = `(select * from pg_temp.${name} where n between ${from} and ${to})`
  const columns: readonly LoadedColumn[] = fields.columns.filter(({ key }) => key)
  const deletion =
    table.write === 'history'
      ? endMissingSql(source, { table, slice, columns, names: [...(open.shape?.columns.keys() ?? [])] })
      : deleteRowsSql(source, { table, slice, columns, version: rowVersion(open), reason: 'missing' })
  const ofLists = marksDeleted(table) ? [] : (lists?.sql(source, columns, 'missing') ?? [])
  const results = await transaction.run([deletion, ...ofLists].join(';\n'))
  lists?.counted(results.slice(2).map(({ rows: [row] }) => Number(row?.['deleted'] ?? 0)))
  return Number(results[0]?.rows[0]?.['deleted'] ?? 0)
}

function verb({ table }: OpenTable): string {
  if (table.write === 'history') return 'end'
  return marksDeleted(table) ? 'mark' : 'delete'
}

function tooMany(
  { open, window, isOfLists }: DeleteMissingOptions,
  { rows, gone, limit }: { readonly rows: number; readonly gone: Gone; readonly limit: number },
): TooManyDeletesError {
  const lists = isOfLists ? 'in the lists that were read whole, ' : ''
  const { table, slice } = open
  const name = `${slice.pipeline}.${slice.stream}`
  return new TooManyDeletesError(
    `${name}: the reading was complete, and did not bring ${formatNumber(gone.count)} of the ` +
      `${formatCount(rows, 'row')} that ${table.name} had ${window ? `from ${window.lower} to ${window.upper} ` : ''}` +
      `when it began, ${lists}such as ${gone.examples}. ` +
      `The mirror may ${verb(open)} ` +
      `${limit === 0 ? 'none' : `at most ${formatNumber(limit)}`} of them, so all of them stay. ` +
      `If their records are gone, ${window ? 'repeat the backfill once with' : `run once: sluice run ${name}`} ` +
      `--most-deletes ${gone.count}. ` +
      'If not, correct what is read. For another limit, set mostDeletes',
  )
}

function refusedText(open: OpenTable, refused: readonly Refused[]): string {
  const [first] = refused
  return (
    `${open.table.name}: mirror did not ${verb(open)} ${formatCount(refused.length, 'row')} whose records are gone, ` +
    `such as ${open.table.key.join(', ')} = ${first?.key}: ${first?.reason}`
  )
}

const leftText = (open: OpenTable, left: number): string =>
  `${open.table.name}: mirror did not ${verb(open)} ${formatCount(left, 'row')} whose records are gone: ` +
  'a trigger, a rule or a policy of the table leaves them as they are'

const tooManyRefused = (open: OpenTable, refused: readonly Refused[]): LoadError =>
  new LoadError(
    `${open.table.name}: the database refuses to ${verb(open)} more than ${open.table.maxRejects} rows whose records ` +
      `are gone, the limit of maxRejects. Nothing was deleted. ${refused[0]?.reason}`,
  )
