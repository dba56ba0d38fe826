import type { Connection, Database, Transaction } from '../../database/database.ts'
import { quoteLiteral, quoteTexts } from '../../database/quote.ts'
import { LoadError, SliceLostError } from '../../model/errors.ts'
import type { Advance } from '../../model/batch.ts'
import { nextCursor } from '../../model/high-water-mark.ts'
import { END, isEnd } from '../../model/page.ts'
import type { RunKind, Slice } from '../../model/slice.ts'
import { storableText } from '../../value/text.ts'
import type { LeaseSession } from '../lease/lease-keeper.ts'
import { parentCursorsSql } from '../parent-cursors.ts'
import type { StreamName } from '../stream-name.ts'
import { clearFieldValuesSql, fieldValuesSql } from './field-values.ts'
import { HELD_COLUMNS, type Restart, type SliceRow } from './held-slice.ts'
import { rejectIdentities } from './reject-identity.ts'
import { rejectsSql, reopenSql, storedSql } from './store-rejects.ts'

// The life of a slice. Each transition is one SQL function (migrations 0014 to 0031); this file, ranges.ts and
// given-up-jobs.ts only call them, and no other statement changes `sluice.slices`. A run holds a slice as long as
// `token` is that of its claim.
//
// | state \ event | open | claim    | renew | advance    | restart | release | fail   | skip    | close  |
// |---------------|------|----------|-------|------------|---------|---------|--------|---------|--------|
// | none          | held | –        | –     | lost       | lost    | –       | –      | –       | –      |
// | free          | –    | held     | – (r) | held, done | held    | –       | failed | skipped | closed |
// | held          | –    | –        | held  | held, done | held    | free    | failed | –       | closed |
// | taken         | –    | –        | –     | lost       | lost    | –       | –      | –       | closed |
// | done          | held | –        | –     | lost       | lost    | –       | –      | –       | –      |
// | failed        | held | held (w) | –     | lost       | lost    | –       | –      | skipped | –      |
// | skipped (w)   | –    | held (a) | –     | lost       | lost    | –       | –      | –       | –      |
// | closed        | held | –        | –     | lost       | lost    | –       | –      | –       | –      |
//
// `free` is open without a valid lease; `held` is open and held by this token; `taken` is open and held by another
// token. `advance` leads to `done` at the end of the slice. `–` changes nothing and returns nothing; `lost` raises
// SL001. (w): only windows and ranges, by a later run. (a): windows, by a later run with --only all. (r): `held` if the
// lease has run out. Only windows without a batch are skipped, and only sync slices are closed. `open` makes another
// slice of the stream; `sluice.plan_backfill` makes windows. transitions.test.ts runs the whole table.

interface Call {
  readonly signal: AbortSignal
}

export interface OpenSliceOptions extends StreamName {
  readonly run: string
  readonly kind: Exclude<RunKind, 'backfill'>
  readonly definition: string
  readonly since: string | undefined
  readonly until: string | undefined
  readonly hasCursor: boolean
  /** The stream's cursor that `since` comes from. */
  readonly cursor: string | undefined
  /** The slice begins to read everything, or goes on with that behind `readTo`. @default neither is looked at */
  readonly beginsFull?: boolean
  readonly readTo?: string | undefined
  readonly session: LeaseSession
}

/** Opens a slice and holds it. Returns undefined if the stream is being or has been read, or its place has moved. */
export async function openSlice(
  database: Database,
  { run, kind, pipeline, stream, partition = '', definition, since, until, ...options }: OpenSliceOptions & Call,
): Promise<SliceRow | undefined> {
  const { hasCursor, cursor, beginsFull, readTo, session, signal } = options
  const place = [run, beginsFull ?? kind, pipeline, stream, partition, definition]
  const rest = [since, until, hasCursor, hasCursor ? cursor : null, session.pid, session.started]
  const call = '($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12'
  if (beginsFull === undefined) return held(database, `sluice.open${call})`, [...place, ...rest], signal)
  return held(database, `sluice.open_sync${call}, $13)`, [...place, ...rest, readTo], signal)
}

export interface ClaimSyncOptions extends StreamName {
  readonly run: string
  readonly hasCursor: boolean
  readonly definition: string
  readonly session: LeaseSession
}

/** Claims the open slice of a stream. Returns undefined if there is none that this run may take. */
export async function claimSync(
  database: Database,
  { run, pipeline, stream, partition = '', hasCursor, definition, session, signal }: ClaimSyncOptions & Call,
): Promise<SliceRow | undefined> {
  const values = [run, pipeline, stream, partition, hasCursor, definition, session.pid, session.started]
  return held(database, 'sluice.claim_sync($1, $2, $3, $4, $5, $6, $7, $8)', values, signal)
}

export interface ClaimWindowRowOptions {
  readonly run: string
  readonly backfill: string
  readonly only: string | undefined
  readonly onlyWindows: readonly string[] | undefined
  readonly definition: string
  readonly session: LeaseSession
}

/** Claims the lowest window of a backfill that is to be read. Returns undefined if there is none that may be taken. */
export async function claimWindowRow(
  database: Database,
  { run, backfill, only, onlyWindows, definition, session, signal }: ClaimWindowRowOptions & Call,
): Promise<SliceRow | undefined> {
  const values = [run, backfill, only, onlyWindows, definition, session.pid, session.started]
  return held(database, 'sluice.claim_window($1, $2, $3, $4, $5, $6, $7)', values, signal)
}

async function held(
  database: Database,
  call: string,
  values: readonly unknown[],
  signal: AbortSignal,
): Promise<SliceRow | undefined> {
  const [row] = await database.query<SliceRow>(`select ${HELD_COLUMNS} from ${call} as h`, values, { signal })
  return row
}

/** A slice that a token no longer holds, and why. */
export interface LostSlice {
  readonly slice: string
  readonly token: string
  readonly reason: string
}

/** Renews the leases of slices, token by slice. Returns those that were lost. */
export async function renewSlices(
  on: Connection,
  slices: ReadonlyMap<string, number>,
  { pid, started }: LeaseSession,
): Promise<LostSlice[]> {
  return on.query<LostSlice>('select slice, token, reason from sluice.renew($1::bigint[], $2::bigint[], $3, $4)', [
    [...slices.keys()],
    [...slices.values()],
    pid,
    started,
  ])
}

/**
 * Returns the statement that commits a batch with its rows: its rejects, then position, counts and high-water mark, and
 * at the end the stream's cursor. Hand it to `transaction.commit`. It raises SL001 unless the slice is held and `seq`
 * batches are committed.
 */
export function advanceSql(
  slice: Slice,
  seq: number,
  {
    position,
    counts,
    rejects,
    key = [],
    isKeyChanged = false,
    settles = [],
    parentCursors = [],
    highWaterMark,
    completeness,
    boundaryRemaining,
    fieldValues,
    swap,
  }: Advance,
): string {
  const location = `${slice.pipeline}.${slice.stream}, batch ${seq + 1} of slice ${slice.id}`
  if (position === null || position === undefined)
    throw new LoadError(
      `${location}: its last page has no position, so it cannot be committed. Give the pages a position`,
    )
  if (rejects.length !== counts.rejected)
    throw new LoadError(
      `${location}: its count of rejected records is ${counts.rejected}, but it has ${rejects.length} rejects. ` +
        'Nothing of this batch was stored. Please report this',
    )
  const ends = isEnd(position)
  const cursor = ends && slice.kind === 'sync' ? nextCursor(slice.cursor, highWaterMark) : undefined
  const values = [
    ...numbers(slice, seq),
    `${quoteLiteral(JSON.stringify(ends ? END : position))}::json`,
    jsonb(counts),
    quoteLiteral(highWaterMark?.value),
    jsonb(highWaterMark?.hashes && countedHashes(highWaterMark.hashes)),
    quoteLiteral(cursor),
    jsonb(swap),
    jsonb(ends ? undefined : boundaryRemaining),
    quoteLiteral(completeness?.grade),
    quoteTexts((completeness?.reasons ?? []).map(storableText)),
  ]
  // A record that is rejected again settles nothing.
  const rejected = new Set(rejects.flatMap((reject) => rejectIdentities(reject, key)))
  const settled = settles.filter((identity) => !rejected.has(identity))
  // The rejects come first: they take the position from the slice as it is before this batch.
  const stored = `${storedSql(slice, settled)}${rejectsSql(slice, rejects, { key, isKeyChanged })}`
  const fields = `${fieldValuesSql(slice, fieldValues)}${parentCursorsSql(slice, parentCursors)}`
  return `${stored}${fields}select sluice.advance(${values.join(', ')})`
}

/**
 * Returns the statement that sets a held slice back to its start. Run it in the transaction that removes what the slice
 * has stored. It raises SL001 like `advanceSql`.
 */
export function restartSql(
  slice: Slice,
  seq: number,
  { definition, since, until, cursor, beginsFull = false }: Omit<Restart, 'reason'>,
): string {
  const range = [definition, since, until, cursor].map(quoteLiteral)
  const begin = beginsFull ? ` select sluice.begin_full(${BigInt(slice.id)});` : ''
  // The rows and rejects of the slice are gone, so the rejects that they settled are open again.
  return `select sluice.restart(${[...numbers(slice, seq), ...range].join(', ')});${begin}
${clearFieldValuesSql(slice)};
${reopenSql(slice, ['stored', 'superseded'])}`
}

/**
 * Throws SliceLostError unless the slice is held: for a transaction that stores no batch of it. It locks nothing,
 * because a run that takes the slice over must not wait for this process, which may be stopped.
 */
export async function checkHeld(transaction: Transaction, { id, token, pipeline, stream }: Slice): Promise<void> {
  const [row] = await transaction.query<{ reason: string | null }>(
    `select sluice.lost_reason(${BigInt(id)}, ${BigInt(token)}) as reason`,
  )
  if (row && row.reason !== null)
    throw new SliceLostError(`${pipeline}.${stream}: slice ${id} ${row.reason}. This run did not alter the table`)
}

export interface ReleaseOptions {
  /** Why the slice was left, for `sluice status`. */
  readonly error?: string | undefined
  /** Set if it came to its end and its reading is open, which its table does not accept. */
  readonly openReasons?: readonly string[] | undefined
  readonly signal: AbortSignal
}

/** Gives up a slice that was not read to its end. Does nothing if it is not held. */
export async function releaseSlice(
  database: Database,
  { id, token }: Slice,
  { error, openReasons, signal }: ReleaseOptions,
): Promise<void> {
  const values = [id, token, error && storableText(error), openReasons?.map(storableText)]
  await database.query('select sluice.release($1, $2, $3, $4)', values, { signal })
}

/** Gives up all slices of a process, token by slice. */
export async function releaseSlices(
  on: Connection,
  slices: ReadonlyMap<string, number>,
  options: { readonly timeoutMs: number },
): Promise<void> {
  const values = [[...slices.keys()], [...slices.values()]]
  await on.query('select sluice.release_all($1::bigint[], $2::bigint[])', values, options)
}

/** Ends a slice as failed: later runs do not continue it by themselves. Does nothing if it is not held. */
export async function failSlice(
  database: Database,
  { id, token }: Slice,
  { error, openReasons, signal }: ReleaseOptions & { readonly error: string },
): Promise<void> {
  const values = [id, token, storableText(error), openReasons?.map(storableText)]
  await database.query('select sluice.fail($1, $2, $3, $4)', values, { signal })
}

/** Skips the windows of a backfill that other backfills of the stream have done. Returns their number. */
export async function skipDoneElsewhere(database: Database, backfill: string, signal: AbortSignal): Promise<number> {
  const [row] = await database.query<{ skipped: string }>(
    'select sluice.skip_done_elsewhere($1) as skipped',
    [backfill],
    { signal },
  )
  return Number(row?.skipped)
}

/**
 * Closes the open slice of a stream, so that no run resumes it; its holder loses it. Returns the closed slices. Drop
 * their shadow tables in the same transaction.
 */
export async function closeSlices(
  transaction: Transaction,
  { pipeline, stream, partition = '' }: StreamName,
  reason: string,
): Promise<string[]> {
  const rows = await transaction.query<{ id: string }>('select sluice.close($1, $2, $3, $4) as id', [
    pipeline,
    stream,
    partition,
    storableText(reason),
  ])
  // Rows in a shadow table never reach the table, so the rejects that they settled are open again.
  for (const { id } of rows)
    await transaction.query(
      `${reopenSql({ id }, ['stored'])} where to_regclass('sluice.shadow_${BigInt(id)}') is not null`,
    )
  return rows.map(({ id }) => id)
}

const numbers = ({ id, token }: Slice, seq: number): string[] => [id, token, seq].map((number) => `${BigInt(number)}`)

const jsonb = (value: unknown): string =>
  value === undefined ? 'null' : `${quoteLiteral(JSON.stringify(value))}::jsonb`

function countedHashes(hashes: readonly string[]): Record<string, number> {
  const counted = new Map<string, number>()
  for (const hash of hashes) counted.set(hash, (counted.get(hash) ?? 0) + 1)
  return Object.fromEntries(counted)
}
