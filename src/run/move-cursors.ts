// Cursors that are taken from one ledger to another: as JSON, with what their streams looked like.
import type { Cursor, MovedCursor } from '../ledger/cursors.ts'
import { UsageError } from '../model/errors.ts'
import type { CursorOrigin } from '../model/field-values.ts'
import { hasOwnCursor } from '../model/own-cursor.ts'
import { cursorOrigin } from '../read/definition-hash.ts'
import { cursorKind } from '../value/cursor-order.ts'
import { messageOf } from '../value/error.ts'
import type { FoundPipeline } from './find-pipelines.ts'

const FORMAT = 'sluice cursors 1'

/** A cursor of an export. */
export interface ExportedCursor extends MovedCursor {
  readonly table?: string
  readonly write?: string
  /** The columns of the table's key. Absent if the pipeline was not there at the export. */
  readonly key?: readonly string[]
  /** What the cursor depends on. Absent if the pipeline was not there at the export. */
  readonly origin?: CursorOrigin
}

export interface CursorExport {
  readonly format: typeof FORMAT
  readonly cursors: readonly ExportedCursor[]
}

/** Returns cursors with the shape of their streams. */
export const exportCursors = (
  cursors: readonly MovedCursor[],
  found: readonly Pick<FoundPipeline, 'pipeline'>[],
): CursorExport => ({
  format: FORMAT,
  cursors: cursors.map((cursor) => {
    const flow = found.find(({ pipeline }) => pipeline.name === cursor.pipeline)?.pipeline.streams[cursor.stream]
    if (!flow) return cursor
    const { recipe, table } = flow
    return { ...cursor, table: table.name, write: table.write, key: table.key, origin: cursorOrigin(recipe) }
  }),
})

/** Parses an export. Throws a UsageError for anything else. */
export function parseExport(json: string): readonly ExportedCursor[] {
  let parsed: Partial<CursorExport> | null
  try {
    parsed = JSON.parse(json) as typeof parsed
  } catch (cause) {
    throw new UsageError(`This is no JSON: ${messageOf(cause)}. ${REMEDY}`, { cause })
  }
  const cursors: unknown = parsed?.cursors
  if (parsed?.format !== FORMAT || !Array.isArray(cursors) || !cursors.every(isCursor))
    throw new UsageError(`This is no export of cursors of this version. ${REMEDY}`)
  return cursors.map((one) => ({ ...one, partition: one.partition ?? '' }))
}

const REMEDY = 'Pipe the output of sluice cursor export into this command'

const isCursor = (one: unknown): one is ExportedCursor =>
  typeof one === 'object' &&
  one !== null &&
  ['pipeline', 'stream', 'value'].every((name) => typeof (one as Record<string, unknown>)[name] === 'string')

export interface ImportTarget {
  readonly found: readonly Pick<FoundPipeline, 'pipeline'>[]
  /** The cursors that are there. */
  readonly stored: readonly Pick<Cursor, 'pipeline' | 'stream' | 'partition' | 'value'>[]
}

/** Returns why a cursor does not fit the stream that it is imported into; undefined if it fits. */
export function importProblem(
  { pipeline, stream, partition, value, boundary, write, key, origin }: ExportedCursor,
  { found, stored }: ImportTarget,
): string | undefined {
  const name = `${pipeline}.${stream}`
  const streams = found.find((one) => one.pipeline.name === pipeline)?.pipeline.streams
  const flow = streams?.[stream]
  if (!flow)
    return `${name}: there is no such stream (${pipeline} has ${Object.keys(streams ?? {}).join(', ') || 'none'})`
  const { recipe, table } = flow
  if (!hasOwnCursor(recipe) && !recipe.stages.some(({ type }) => type === 'flatMap'))
    return `${name}: its definition has no .incremental(…), so it has no cursor`
  const now = cursorOrigin(recipe)
  if (origin && origin.field !== now.field)
    return (
      `${name}: the cursor is of the field ${quoted(origin.field)}, and the definition has ${quoted(now.field)}. ` +
      'Records between the two would be missed'
    )
  if (origin && origin.cursor !== now.cursor)
    return `${name}: .incremental() has another unit or time format here, so the value means something else`
  if (origin && origin.request !== now.request && now.varies !== true)
    return `${name}: the request selects other records here. If that is right: sluice cursor set ${name} '${value}'`
  const before = stored.find((one) => `${one.pipeline}.${one.stream}` === name && one.partition === partition)
  if (before && cursorKind(before.value) !== cursorKind(value))
    return `${name}: the cursor that is there (${before.value}) is of another kind than ${value}`
  const isKeyless = table.write === 'append' && table.key.length === 0
  // Only an append without a key notes which rows at the cursor it has. With an unknown key, those that it noted tell.
  const wasKeyless = write === 'append' && (key?.length === 0 || (key === undefined && boundary !== undefined))
  if (isKeyless && write !== undefined && !wasKeyless)
    return (
      `${name}: the table appends without a key here and had one where the cursor was exported, so nothing says ` +
      `which rows at the cursor are stored: they would be stored twice. Give the table the same key, or, if rows ` +
      `may come twice: sluice cursor set ${name} '${value}'`
    )
  return undefined
}

const quoted = (field: string | undefined): string => (field === undefined ? 'of a function' : `'${field}'`)
