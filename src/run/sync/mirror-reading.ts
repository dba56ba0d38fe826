// What a reading of a table with `mirror` may delete at its end, and why it may not.
import type { TableWriter } from '../../load/table-writer.ts'
import type { Page, Position, Reject } from '../../model/page.ts'
import { isMerged, type Recipe, type Table } from '../../model/recipe.ts'
import type { Slice } from '../../model/slice.ts'
import { areMirrored } from '../../source/if-changed.ts'
import { keyNamesBehind } from '../../transform/tombstones.ts'
import { keyTexts } from '../../value/key-texts.ts'
import { mirroredWindow, type MirroredWindow } from './mirror-window.ts'
import type { SliceContext } from './slice-context.ts'

const NOT_BEGUN =
  'this reading was interrupted more than a week ago, or began before mirror was set. The next one deletes what is gone'

/** Why nothing is deleted if a rejected record may have any row. */
export const UNKNOWN_RECORDS =
  'records were rejected, and nothing says which rows are theirs. For the reasons, sluice rejects list'

/** Records of a page that are compared: a stage that makes other keys mostly makes them for all. */
const COMPARED = 100

/**
 * The position of a reading whose mirror would delete too much: everything is read and stored, and the slice does not
 * end. The next run reads everything again, because the list may be whole by then.
 */
export const REFUSED: Position = Object.freeze({ mirror: 'refused' })

export const isRefused = (position: Position): boolean => JSON.stringify(position) === JSON.stringify(REFUSED)

/**
 * Begins the mirror of a reading of everything or of a window, or goes on with that of an interrupted one. Call it
 * before anything is requested. Returns undefined if the table is no mirror, if this run
 * deletes nothing, or if another part is read.
 */
export async function openMirror(context: SliceContext, target: TableWriter): Promise<MirrorReading | undefined> {
  const { stream, slice } = context
  const { table, recipe, writeSignal: signal } = stream
  const isWindow = slice.kind === 'backfill'
  if (!table.mirror || !stream.deletesMissing || !isMerged(table)) return undefined
  const isWhole = readsEverything(slice, recipe)
  const isPart = !isWhole && readsLists(slice, recipe) && table.mirror.parent !== undefined
  if (!isWindow && !isWhole && !isPart) return undefined
  const found = isWindow && target.exists ? await mirroredWindow(context, target) : undefined
  const window = found && 'scope' in found ? found : undefined
  const reading = new MirrorReading(recipe, table, { window, isPart })
  if (found && 'unknown' in found) reading.keepAll(found.unknown)
  // Nothing can be missing in a table that does not exist yet.
  if (isWindow && !window) return found && reading
  const isBegun = await target.openMirror({ isStart: slice.position === null, window, isPart, signal })
  if (!isBegun) reading.keepAll(NOT_BEGUN)
  return reading
}

function readsEverything({ kind, chain, since, until }: Slice, recipe: Recipe): boolean {
  if (kind !== 'sync' || chain !== undefined) return false
  return (since === undefined || isReadIfChanged(recipe)) && until === undefined
}

/** The lists of some parents, such as those that have changed. */
const readsLists = ({ kind, chain }: Slice, { stages }: Recipe): boolean =>
  kind === 'sync' && chain === undefined && stages.some(({ type }) => type === 'flatMap')

/** A list that is read if it has changed is read as a whole, whatever its cursor is. */
export const isReadIfChanged = ({ source }: Recipe): boolean => 'api' in source && source.ifChanged === true

/**
 * Returns the start of a reading. A list that has not changed is not read, so it is asked for without condition until a
 * mirror has deleted what it does not have: the last reading may have kept rows, or the table was no mirror then.
 */
export const sinceOf = (since: string | undefined, recipe: Recipe, { mirror }: Pick<Table, 'mirror'>): typeof since =>
  mirror && since !== undefined && isReadIfChanged(recipe) && !areMirrored(since) ? undefined : since

export class MirrorReading {
  /** The window of a backfill. Undefined for a reading of everything. */
  readonly window: MirroredWindow | undefined
  /** Rows of lists that were read whole may be deleted, though others were not read. */
  readonly ofLists: boolean
  /** A window: what has changed since the cursor was read, too, so what is missing is gone. */
  isConfirmed = false
  /** Only some parents are read, such as those that have changed. */
  readonly #isPart: boolean
  readonly #key: readonly string[]
  /** The fields of the key as records are read. */
  readonly #readKey: readonly string[]
  readonly #hasChildren: boolean
  readonly #mayChangeKey: boolean
  #hasCompared = false
  #isKeyChanged = false
  #keptBecause: string | undefined
  #partBecause: string | undefined

  constructor(
    { stages }: Recipe,
    { key, mirror }: Pick<Table, 'key' | 'mirror'>,
    { window, isPart }: { readonly window: MirroredWindow | undefined; readonly isPart: boolean },
  ) {
    this.window = window
    this.#isPart = isPart
    this.ofLists = mirror?.parent !== undefined && stages.some(({ type }) => type === 'flatMap')
    this.#key = key
    this.#readKey = keyNamesBehind(stages, key)
    this.#hasChildren = stages.some(({ type }) => type === 'flatMap')
    this.#mayChangeKey = stages.some(({ type }) => type === 'map' || type === 'validate' || type === 'offload')
  }

  /** Notes why the reading deletes nothing. The first reason counts. */
  readonly keepAll = (reason: string): void => {
    this.#keptBecause ??= reason
  }

  /** Notes that a part of a list was left out. What lies outside of the range of a slice is none of its own. */
  readonly keepPart = (reason: string, what?: 'range'): void => {
    const isExpected = what === 'range' && (this.window !== undefined || this.#isPart)
    if (isExpected) return
    if (this.ofLists) this.#partBecause ??= reason
    else this.keepAll(reason)
  }

  /** Undefined while all rows may be deleted that the reading does not bring, and not only those of whole lists. */
  get partBecause(): string | undefined {
    return this.#partBecause
  }

  /** Undefined while the reading may delete what it does not bring. */
  get keptBecause(): string | undefined {
    return this.#keptBecause
  }

  /**
   * Adds to each page the records that stages have rejected: they exist, so their rows stay. Where nothing says which
   * rows these are, all rows stay.
   */
  async *follow(pages: AsyncIterable<Page>): AsyncGenerator<Page, void, undefined> {
    for await (const page of pages) {
      this.#compare(page)
      this.#compareTimes(page)
      // The list of a parent that was rejected is not read, so it is not whole.
      const rejects = this.ofLists ? page.rejects.filter(({ stage }) => stage !== 'flatMap') : page.rejects
      if (rejects.length < page.rejects.length) this.keepPart(UNKNOWN_RECORDS)
      const present = rejects.flatMap((reject) => this.#presentOf(reject) ?? [])
      if (present.length < rejects.length) this.keepAll(UNKNOWN_RECORDS)
      yield present.length === 0 ? page : { ...page, present }
    }
  }

  /** A stage may make other keys of some records only: all records beside a rejected one are compared. */
  #compare({ records, origins, rejects }: Page): void {
    if (!origins || !this.#mayChangeKey || this.#isKeyChanged) return
    const compared = rejects.length === 0 ? records.slice(0, COMPARED) : records
    for (const [index, record] of compared.entries()) {
      const [before, after] = [keyTexts(origins[index], this.#readKey), keyTexts(record, this.#key)]
      this.#hasCompared = true
      this.#isKeyChanged ||= before === undefined || JSON.stringify(before) !== JSON.stringify(after)
    }
  }

  /** A row has its place in the table by its own value, and in the window by that of the record as it was read. */
  #compareTimes({ records, origins }: Page): void {
    if (!this.window || !origins || this.#keptBecause !== undefined) return
    const field = [this.window.field]
    const isOther = (record: unknown, index: number): boolean =>
      JSON.stringify(keyTexts(origins[index], field)) !== JSON.stringify(keyTexts(record, field))
    if (records.some(isOther))
      this.keepAll(`a stage gives ${this.window.field} other values, so nothing says which rows belong to the window`)
  }

  /** Returns the fields of the key that the row of a rejected record would have; undefined if that is not known. */
  #presentOf({ stage, record }: Reject): readonly [Record<string, unknown>] | undefined {
    if (this.#hasChildren || stage === 'read' || typeof record !== 'object' || record === null) return undefined
    if (this.#mayChangeKey && (!this.#hasCompared || this.#isKeyChanged)) return undefined
    const fields = record as Readonly<Record<string, unknown>>
    return [Object.fromEntries(this.#key.map((name, index) => [name, fields[this.#readKey[index] ?? name]]))]
  }
}
