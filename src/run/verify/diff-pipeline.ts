import { sqlState } from '../../database/errors.ts'
import { quoteTable } from '../../database/quote.ts'
import type { Flow } from '../../define/flow.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { MAX_NEWER_RECORDS } from '../../ledger/limits.ts'
import { readParentCursors } from '../../ledger/parent-cursors.ts'
import { continues } from '../../ledger/read/has-stored.ts'
import { readNextStart, type NextStart } from '../../ledger/read/read-next-start.ts'
import { Comparison } from '../../load/compare/comparison.ts'
import { READ } from '../../load/compare/scratch-sql.ts'
import { withoutAccount } from '../../model/account.ts'
import { acceptsOpen, openText } from '../../model/completeness.ts'
import { removesAnnounced } from '../../model/deletions.ts'
import { IncompleteError, LoadError, TooManyDeletesError, UsageError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import { deleteLimit } from '../../model/mirror.ts'
import type { MovedList } from '../../read/read-steps.ts'
import { defined } from '../../value/defined.ts'
import { formatCount } from '../../value/format.ts'
import { chosenStreams } from '../chosen-streams.ts'
import { cursorChange } from '../cursor-change.ts'
import type { RunOptions } from '../options.ts'
import { problemText } from '../report/problem-text.ts'
import { missingTable } from '../sync/lost-table.ts'
import { sinceOf } from '../sync/mirror-reading.ts'
import { openReading, type Reading } from './open-reading.ts'
import { endsWithMirror, refuseDeletes, unreadScope } from './foresee-deletes.ts'
import { readInto } from './read-into.ts'
import { diffLists } from './diff-lists.ts'
import type { StreamDiff } from './stream-diff.ts'

/** Options of `diff()`. */
export interface DiffOptions extends Pick<RunOptions, 'database' | 'streams' | 'environment' | 'signal'> {
  /** What a run with `full` would change. @default false */
  readonly full?: boolean
  /** Rows to show of each kind. @default 3 */
  readonly samples?: number | undefined
  /** Called with the number of rows that were read of a stream so far. */
  readonly onProgress?: ((stream: string, rows: number) => void) | undefined
}

/**
 * Returns what the next run of a pipeline would change, stream by stream. It reads as that run would, and writes
 * nothing: neither rows, nor cursors, nor limits of the API.
 */
export async function diffPipeline(pipeline: Pipeline, options: DiffOptions = {}): Promise<StreamDiff[]> {
  const streams = chosenStreams(pipeline, options.streams)
  await using reading = await openReading(pipeline, { ...options, streams })
  const diffs: StreamDiff[] = []
  for (const stream of streams) {
    const flow = pipeline.streams[stream]
    if (flow) diffs.push(await diffStream(reading, { pipeline, stream, flow, options }))
  }
  return diffs
}

interface DiffStreamOptions {
  readonly pipeline: Pipeline
  readonly stream: string
  readonly flow: Flow<unknown>
  readonly options: DiffOptions
}

type Found = Omit<StreamDiff, 'pipeline' | 'stream' | 'table' | 'status' | 'warnings' | 'requests' | 'ms' | 'error'>

const NOTHING: Found = {
  read: 0,
  insert: 0,
  update: 0,
  unchanged: 0,
  delete: 0,
  changedMeanwhile: 0,
  rejected: 0,
  columns: {},
  alterations: [],
  samples: [],
}

/** Throws only if the signal aborts: an error of one stream must not hide what the others would do. */
async function diffStream(reading: Reading, options: DiffStreamOptions): Promise<StreamDiff> {
  const { pipeline, stream, flow } = options
  const started = performance.now()
  const warnings = new Set<string>()
  let requests = 0
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'request.finished') requests += 1
    else if (event.type === 'warning') warnings.add(event.message)
  }
  let found = NOTHING
  let error: string | undefined
  try {
    found = await compared(reading, options, onEvent, (partly) => (found = partly))
  } catch (cause) {
    reading.signal.throwIfAborted()
    error = reading.secrets.hide(problemText(cause, `${pipeline.name}.${stream}`))
  }
  return {
    pipeline: pipeline.name,
    stream,
    table: flow.table.name,
    status: error === undefined ? 'done' : 'failed',
    ...found,
    warnings: [...warnings],
    requests,
    ms: Math.round(performance.now() - started),
    ...defined({ error }),
  }
}

async function compared(
  reading: Reading,
  { pipeline, stream, flow: { recipe, table }, options }: DiffStreamOptions,
  onEvent: (event: RunEvent) => void,
  onFound: (found: Found) => void,
): Promise<Found> {
  const { database, signal } = reading
  const name = { pipeline: pipeline.name, stream }
  const warn = (message: string): void => onEvent({ type: 'warning', message })
  const start = options.full ? FROM_START : await nextStart(reading, name)
  const since = sinceOf(start.since, recipe, table)
  const isMirror = endsWithMirror(since, recipe, table)
  const streamName = `${withoutAccount(pipeline.name)}.${stream}`
  await using comparison = await Comparison.open(database, table, { streamName, lists: true, signal })
  await refuseDeletes(comparison, { ...name, table, isMirror })
  if (!options.full) {
    await checkStart(reading, { ...name, recipe, table }, warn)
    if (start.isInterrupted)
      warn('a reading is interrupted: the next run first reads its rest, which is contained here')
    if (
      !comparison.exists &&
      table.write !== 'replace' &&
      start.since !== undefined &&
      (await continues(database, name))
    )
      throw missingTable(`${name.pipeline}.${stream}`, table, `the records that are new since ${start.since}`)
  }
  let rows = 0
  let keptBecause: string | undefined
  const part = await readInto(
    comparison.rows,
    recipe,
    { since },
    {
      scope: reading.scope(stream, onEvent),
      moved: {
        ...(await reading.movedList(stream)),
        ...memory(reading, { ...name, table, start, ...options }),
        onPart: (reason) => (keptBecause ??= reason),
      },
      later: () => undefined,
      onRows: (more) => options.onProgress?.(stream, (rows += more)),
    },
  )
  for (const message of part.warnings) warn(message)
  const { completeness, rejected } = part
  const { scope, unknown } = await unreadScope(comparison, part, { table, recipe, isMirror, keptBecause })
  if (unknown !== undefined) warn(unknown)
  const limit = options.samples ?? 3
  const compared =
    table.key.length > 0 ? await byKey(comparison, table, { limit, scope }) : await keyless(comparison, table, scope)
  const found = {
    ...NOTHING,
    ...compared.counted,
    rejected,
    alterations: comparison.rows.changes,
    ...defined({ since, completeness }),
  }
  onFound(found)
  const open = openText(completeness)
  if (open !== undefined && !acceptsOpen(table))
    throw new IncompleteError(
      `${name.pipeline}.${stream}: the run would fail, because it is not proven that everything was read: ${open}`,
      { reasons: completeness?.reasons ?? [] },
    )
  if (table.write === 'replace' && found.read === 0 && found.delete > 0 && !table.allowEmpty)
    throw new LoadError(
      `${table.name}: the run would fail, because no records were read. If the source can really be empty, ` +
        'set allowEmpty: true',
    )
  if (isMirror && scope !== undefined) refuseTooMany(`${name.pipeline}.${stream}`, table, found, compared.gone)
  return found
}

/** Throws if a mirror would not delete so many rows. */
function refuseTooMany(name: string, table: Flow<unknown>['table'], found: Counted, gone: number): void {
  const rows = found.update + found.unchanged + found.delete
  const limit = deleteLimit(table.mostDeletes, rows)
  if (gone <= limit) return
  throw new TooManyDeletesError(
    `${name}: the run would fail, because the list lacks ${formatCount(gone, 'row')} of ${formatCount(rows, 'row')} ` +
      `of ${table.name}, and the mirror may delete at most ${limit} of them. ` +
      `To allow it once: sluice run ${name} --most-deletes ${gone}`,
  )
}

const FROM_START: NextStart = { since: undefined, isInterrupted: false, boundary: {} }

/** Returns where the next run begins: at the start if nothing has run in this database yet. */
async function nextStart({ database }: Reading, name: { readonly pipeline: string; readonly stream: string }) {
  try {
    return await readNextStart(database, name)
  } catch (error) {
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000') return FROM_START
    throw error
  }
}

/** Throws if a run would: its cursor is of another field. */
async function checkStart(
  { database, signal }: Reading,
  stream: Parameters<typeof cursorChange>[1],
  warn: (message: string) => void,
): Promise<void> {
  const change = await cursorChange(database.with({ signal }), stream).catch((error: unknown) => {
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000') return undefined
    throw error
  })
  if (change?.isOtherField) throw new UsageError(`${stream.pipeline}.${stream.stream}: ${change.text}`)
  if (change) warn(change.text)
}

/** Returns what a run remembers of the one before it. */
function memory(
  { database }: Reading,
  {
    pipeline,
    stream,
    table,
    start,
    full = false,
  }: Pick<DiffOptions, 'full'> & {
    readonly pipeline: string
    readonly stream: string
    readonly table: Flow<unknown>['table']
    readonly start: NextStart
  },
): Partial<MovedList> {
  const { boundary } = start
  const known = Object.keys(boundary).length
  return {
    ...(!full &&
      start !== FROM_START && { parentCursors: readParentCursors.bind(undefined, database, { pipeline, stream }) }),
    ...(table.write === 'append' &&
      table.key.length === 0 && {
        boundary,
        boundaryQuota: { remaining: Math.max(0, MAX_NEWER_RECORDS - known), reported: false },
      }),
  }
}

type Counted = Pick<Found, 'read' | 'insert' | 'update' | 'unchanged' | 'delete' | 'changedMeanwhile'> &
  Partial<Pick<Found, 'columns' | 'samples' | 'lists'>>

interface ComparedRows {
  readonly counted: Counted
  /** Rows that a reading of everything did not bring, and that were not announced as deleted. */
  readonly gone: number
}

async function byKey(
  comparison: Comparison,
  table: Flow<unknown>['table'],
  { limit, scope }: { readonly limit: number; readonly scope: string | undefined },
): Promise<ComparedRows> {
  const { equal, missing, stale, newer, changed } = await comparison.compare({ part: 0 })
  if (scope !== undefined || removesAnnounced(table)) await comparison.collectExtra({ part: 0, scope })
  const { extra, announced } = (await comparison.countExtra()).get(0) ?? { extra: 0, announced: 0 }
  const counted = {
    read: equal + missing + stale + newer + changed,
    insert: missing,
    update: stale,
    unchanged: equal + newer,
    delete: extra,
    changedMeanwhile: changed,
    columns: Object.fromEntries(await comparison.columnCounts()),
    samples: [
      ...(await comparison.samples({ part: 0, kinds: ['missing', 'stale'], limit })),
      ...(await comparison.extraSamples(0, limit)),
    ],
    ...defined({ lists: await diffLists(comparison, table, limit) }),
  }
  return { counted, gone: extra - announced }
}

/** Without a key no row is looked up: all that were read are added, or take the place of all that are stored. */
async function keyless(
  { session, exists }: Comparison,
  { name }: Flow<unknown>['table'],
  scope: string | undefined,
): Promise<ComparedRows> {
  const stored = exists && scope !== undefined ? `(select count(*) from ${quoteTable(name)})` : '0'
  const counts = await session.one<{ read: string; stored: string }>(
    `select count(*) as read, ${stored} as stored from ${READ}`,
  )
  const read = Number(counts.read)
  const gone = Number(counts.stored)
  return { counted: { read, insert: read, update: 0, unchanged: 0, delete: gone, changedMeanwhile: 0 }, gone }
}
