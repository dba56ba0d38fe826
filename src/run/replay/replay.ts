import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { rejectRenamedWords } from '../../define/renamed-words.ts'
import { readRejects, type StoredReject } from '../../ledger/read/read-rejects.ts'
import { openReplay } from '../../ledger/slices/claim.ts'
import { replayedSql } from '../../ledger/slices/store-rejects.ts'
import { isTime } from '../../load/history/version-time.ts'
import { columnName } from '../../load/shape/column-name.ts'
import { readShape } from '../../load/shape/table-shape.ts'
import { UsageError } from '../../model/errors.ts'
import type { HeldSlice } from '../../ledger/slices/held-slice.ts'
import type { Table } from '../../model/recipe.ts'
import type { Report, StreamReport } from '../../model/report.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { ActiveRun } from '../active-run.ts'
import { DEFAULTS, RENAMED_RUN_OPTIONS, type RunOptions } from '../options.ts'
import { RunContext } from '../run-context.ts'
import { StreamContext } from '../stream-context.ts'
import { holdSlice } from '../sync/hold-slice.ts'
import { replayPages } from './replay-pages.ts'
import { refuseDeletions } from './refuse-deletions.ts'

export interface ReplayOptions extends Pick<
  RunOptions,
  'database' | 'streams' | 'memory' | 'environment' | 'onEvent' | 'onStreamError' | 'signal'
> {
  /** Only these rejects. @default all that were not replayed yet */
  readonly ids?: readonly string[] | undefined
  /**
   * If nothing decides which of two rows is newer: replace a row that is in the table already. It may be newer than the
   * reject. @default false
   */
  readonly overwrite?: boolean
}

/** Rejects of one stream in one replay, which is one transaction. The others need another replay. */
const MAX_REJECTS = 10_000

/**
 * Sends rejected records through their stages, as these are now, and into their table again. The rejects of a stream
 * are replayed in one transaction, which also marks them as replayed. A record that is rejected again is a new reject.
 * Returns undefined if there is nothing to replay.
 */
export async function replay(pipeline: Pipeline, options: ReplayOptions = {}): Promise<Report | undefined> {
  const { streams, ids, overwrite = false } = options
  rejectRenamedWords('replay()', options, RENAMED_RUN_OPTIONS)
  await using context = await RunContext.open(pipeline, options)
  const chosen = await rejectsByStream(context.database, pipeline, streams, ids)
  if (chosen.size === 0) return undefined
  await using run = await ActiveRun.start(context, { kind: 'replay', streams: [...chosen.keys()], options: {} })
  for (const [name, rejects] of chosen)
    run.finishStream(
      name,
      await replayStream(new StreamContext(run, name, { batch: DEFAULTS.batch }), rejects, overwrite),
    )
  return await run.finish()
}

/** Never throws: a stream that fails must not stop the others. */
async function replayStream(
  stream: StreamContext,
  rejects: readonly StoredReject[],
  overwrite: boolean,
): Promise<StreamReport> {
  try {
    const { table, newestFirst } = await howToWrite(stream, overwrite)
    // They were rejected before. Those that are rejected again must not prevent the others from being stored.
    const lenient = { ...table, maxRejects: rejects.length + table.maxRejects }
    const target = new StreamContext(stream.run, stream.stream, { batch: stream.batch, table: lenient })
    await replayRejects(target, newestFirst ? rejects.toReversed() : rejects, {
      keeps: newestFirst ? stream.table : undefined,
    })
    if (newestFirst) warnOfKeptRows(stream)
    stream.warnIfOpen()
    return stream.tally.report('done')
  } catch (error) {
    return stream.fail(error)
  }
}

/** `keeps`: the table whose stored rows stay. */
async function replayRejects(
  stream: StreamContext,
  rejects: readonly StoredReject[],
  { keeps }: { readonly keeps: Table | undefined },
): Promise<void> {
  const { database, run, recipe, table, readSignal: signal } = stream
  await using held = holdSlice(stream, { slice: await replaySlice(stream) })
  const options = { workers: run.workers, isKeyless: table.key.length === 0 }
  await held.sync({
    read: (_, scope) => {
      const pages = replayPages(rejects, recipe, scope, options)
      // A deletion ends the current version of a history.
      return keeps?.write === 'merge' ? refuseDeletions(pages, { database, table: keeps, signal }) : pages
    },
    endSql: () =>
      replayedSql(
        rejects.map(({ id }) => id),
        run.id,
      ),
  })
}

const replaySlice = ({ database, run, pipeline, stream, recipe, readSignal }: StreamContext): Promise<HeldSlice> =>
  openReplay(database, {
    run: run.id,
    keeper: run.keeper,
    pipeline,
    stream,
    definition: definitionHash(recipe),
    signal: readSignal,
  })

function warnOfKeptRows(stream: StreamContext): void {
  const { duplicate } = stream.tally.counts
  if (duplicate === 0) return
  const rows =
    duplicate === 1 ? '1 row has the key of a reject and was' : `${duplicate} rows have the keys of rejects and were`
  stream.warn(
    `${stream.table.name}: ${rows} kept, because nothing decides which is newer. ` +
      '--overwrite stores the rejects instead',
  )
}

/** Returns the rejects to replay, stream by stream, the oldest first. */
async function rejectsByStream(
  database: Database,
  { name, streams: flows }: Pipeline,
  requested: readonly string[] | undefined,
  ids: readonly string[] | undefined,
): Promise<Map<string, StoredReject[]>> {
  const chosen = new Map<string, StoredReject[]>()
  for (const stream of Object.keys(flows)) {
    if (requested && requested.length > 0 && !requested.includes(stream)) continue
    const all = await readRejects(database, { pipeline: name, stream, limit: MAX_REJECTS })
    const rejects = ids ? all.filter(({ id }) => ids.includes(id)) : all
    if (rejects.length > 0) chosen.set(stream, rejects)
  }
  const found = new Set([...chosen.values()].flat().map(({ id }) => id))
  const unknown = ids?.filter((id) => !found.has(id)) ?? []
  if (unknown.length > 0)
    throw new UsageError(
      `${name}: there is no reject ${unknown.join(', ')} to replay. See: sluice rejects list ${name}`,
    )
  return chosen
}

/**
 * Returns how to write the records beside the rows that are in the table. With a version the newer row wins, as in any
 * run. Without one the row in the table stays, and of several rejects of one key the newest is stored.
 */
async function howToWrite(
  { database, table }: StreamContext,
  overwrite: boolean,
): Promise<{ readonly table: Table; readonly newestFirst: boolean }> {
  if (table.write === 'replace')
    throw new UsageError(
      `${table.name}: each run replaces the whole table and reads its records again, so there is nothing to replay. ` +
        'Correct the stage or the table, then run the stream',
    )
  if (table.write === 'append' || overwrite) return { table, newestFirst: false }
  const shape = await readShape(database, table)
  const version = table.versionBy === undefined ? undefined : shape?.columns.get(columnName(table.versionBy))
  const isVersioned = version !== undefined && (table.write !== 'history' || isTime(version))
  if (!shape || isVersioned) return { table, newestFirst: false }
  const kept: Table = table.write === 'history' ? { ...table, keepsStored: true } : { ...table, write: 'append' }
  return { table: kept, newestFirst: true }
}
