import { definitionHash } from '../../read/definition-hash.ts'
import type { Flow } from '../../define/flow.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import type { Database } from '../../database/database.ts'
import { openReplay } from '../../ledger/slices/claim.ts'
import { failSlice } from '../../ledger/slices/transitions.ts'
import { readRejects, type StoredReject } from '../../ledger/read/read-rejects.ts'
import { replayedSql } from '../../ledger/slices/store-rejects.ts'
import { columnName } from '../../load/shape/column-name.ts'
import { readShape } from '../../load/shape/table-shape.ts'
import { UsageError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import type { Report, StreamReport } from '../../model/report.ts'
import { problemText } from '../report/problem-text.ts'
import { openRun } from '../run-context.ts'
import { syncSlice } from '../sync/sync-slice.ts'
import { defaults, type RunOptions } from '../options.ts'
import { replayPages } from './replay-pages.ts'

export interface ReplayOptions extends Pick<
  RunOptions,
  'database' | 'streams' | 'memory' | 'environment' | 'onEvent' | 'onStreamError' | 'signal'
> {
  /** Only these rejects. @default all that were not replayed yet */
  readonly ids?: readonly string[] | undefined
  /**
   * Where nothing says which of two rows is newer, replace one that is there by now: it may be newer than what was
   * rejected. @default false
   */
  readonly overwrite?: boolean
}

/** Of one stream, in one transaction; what is beyond takes another replay. */
const MAX_REJECTS = 10_000

/**
 * Send rejected records through their stages, as these are now, and into their table again: for each stream in one
 * transaction, which marks them as replayed. What is rejected again is a new reject. Undefined where there is nothing
 * to replay.
 */
export async function replay(pipeline: Pipeline, options: ReplayOptions = {}): Promise<Report | undefined> {
  const { streams, ids } = options
  await using frame = await openRun(pipeline, options)
  const { database, secrets, reading, writing } = frame
  const chosen = await rejectsOf(database, pipeline, streams, ids)
  if (chosen.size === 0) return undefined
  const going = await frame.begin({ kind: 'replay', streams: [...chosen.keys()], options: {} })
  const { run, keeper, emit } = going

  const one = async (
    name: string,
    { recipe, table }: Flow<unknown>,
    rejects: readonly StoredReject[],
  ): Promise<StreamReport> => {
    const gauge = going.gauge(name)
    const streamName = `${pipeline.name}.${name}`
    try {
      const { into, newestFirst } = await howToWrite(database, table, options.overwrite ?? false)
      const inOrder = newestFirst ? rejects.toReversed() : rejects
      let slice = await openReplay(database, {
        run,
        keeper,
        pipeline: pipeline.name,
        stream: name,
        definition: definitionHash(recipe),
        signal: reading,
      })
      gauge.slice({ resumed: false })
      emit({ type: 'slice.started', stream: name, slice: slice.id, resumed: false })
      using lent = going.lend(name)
      try {
        await syncSlice(slice, undefined, {
          ...lent,
          recipe,
          streamName,
          limits: defaults.batch,
          // They were rejected before, and shall be rejected again rather than hold up those that were mended.
          table: { ...into, maxRejects: rejects.length + table.maxRejects },
          read: (_, scope) =>
            replayPages(inOrder, recipe, scope, {
              ...(lent.workers && { workers: lent.workers }),
              isKeyless: into.key.length === 0,
            }),
          also: () =>
            replayedSql(
              rejects.map(({ id }) => id),
              run,
            ),
          changed: (changed) => {
            slice = changed
          },
          committed: ({ swap, ...batch }, held) => {
            gauge.committed(batch.counts, { swap })
            emit({ type: 'batch.committed', stream: name, slice: held.id, ...batch })
          },
        })
      } catch (error) {
        await failSlice(database, slice, {
          error: secrets.hide(problemText(error, streamName)),
          signal: writing,
        }).catch(() => {})
        throw error
      } finally {
        keeper.release(slice)
      }
      emit({ type: 'slice.finished', stream: name, slice: slice.id, counts: gauge.counts })
      if (newestFirst && gauge.counts.duplicate > 0)
        emit({
          type: 'warning',
          stream: name,
          message: `${table.name} holds rows with the keys of ${gauge.counts.duplicate} of them, which were left as they are, since nothing says which is newer; --overwrite stores what was rejected`,
        })
      return gauge.report('done')
    } catch (error) {
      if (reading.aborted) return gauge.report('interrupted')
      const text = secrets.hide(problemText(error, streamName))
      options.onStreamError?.(name, error)
      emit({ type: 'stream.failed', stream: name, error: text })
      return gauge.report('failed', text)
    }
  }

  const reports: [string, StreamReport][] = []
  for (const [name, rejects] of chosen) reports.push([name, await one(name, pipeline.streams[name]!, rejects)])
  return await going.end(reports)
}

/** What there is to replay, stream by stream, the oldest first. */
async function rejectsOf(
  database: Database,
  { name, streams: flows }: Pipeline,
  asked: readonly string[] | undefined,
  ids: readonly string[] | undefined,
): Promise<Map<string, StoredReject[]>> {
  const chosen = new Map<string, StoredReject[]>()
  for (const stream of Object.keys(flows)) {
    if (asked && asked.length > 0 && !asked.includes(stream)) continue
    const all = await readRejects(database, { pipeline: name, stream, limit: MAX_REJECTS })
    const rejects = ids ? all.filter(({ id }) => ids.includes(id)) : all
    if (rejects.length > 0) chosen.set(stream, rejects)
  }
  const unknown = ids?.filter((id) => ![...chosen.values()].flat().some((reject) => reject.id === id)) ?? []
  if (unknown.length > 0)
    throw new UsageError(
      `${name}: there is no reject ${unknown.join(', ')} to replay. See: sluice rejects list ${name}`,
    )
  return chosen
}

/**
 * How the records meet the rows that are there by now. Where a version tells which is newer, as ever; where nothing
 * does, a row that is there stays, and of several rejects of one key the newest comes first.
 */
async function howToWrite(
  database: Database,
  table: Table,
  overwrite: boolean,
): Promise<{ readonly into: Table; readonly newestFirst: boolean }> {
  if (table.write === 'replace')
    throw new UsageError(
      `${table.name}: it is replaced as a whole by each run, which reads its records anew: there is nothing to replay. Mend the stage or the table, then run the stream`,
    )
  if (table.write === 'append' || overwrite) return { into: table, newestFirst: false }
  const shape = await readShape(database, table)
  const isVersioned = table.versionBy !== undefined && shape?.columns.has(columnName(table.versionBy))
  return shape && !isVersioned
    ? { into: { ...table, write: 'append' }, newestFirst: true }
    : { into: table, newestFirst: false }
}
