import type { HeldSlice } from '../../ledger/slices/held-slice.ts'
import type { WrittenBatch } from '../../load/write-batch.ts'
import type { Advance, Counts } from '../../model/batch.ts'
import { acceptsOpen, openText, worstOf, type Completeness } from '../../model/completeness.ts'
import { addChildren, addCounts, NO_COUNTS } from '../../model/counts.ts'
import { IncompleteError, TooManyRejectsError, UsageError } from '../../model/errors.ts'
import { addFieldValues, NO_FIELD_VALUES } from '../../model/field-values.ts'
import { maxHighWaterMark } from '../../model/high-water-mark.ts'
import { isEnd, type HighWaterMark, type Position, type Reject } from '../../model/page.ts'
import { defined } from '../../value/defined.ts'
import type { StreamContext } from '../stream-context.ts'
import type { FieldWatch } from './field-watch.ts'
import { identifyingFields, type KeyUse } from './settle-rejects.ts'

/** Rejects that the message of a `TooManyRejectsError` quotes. */
const QUOTED_REJECTS = 3

export interface ProgressOptions {
  readonly keyUse: KeyUse
  readonly fieldWatch?: FieldWatch | undefined
}

/** The slice as it is committed, batch by batch. `advance` computes the next step, and `commit` takes it. */
export class SliceProgress {
  readonly #claimed: HeldSlice
  readonly #stream: StreamContext
  readonly #keyUse: KeyUse
  readonly #fieldWatch: FieldWatch | undefined
  #seq: number
  #position: Position
  #highWaterMark: HighWaterMark | undefined
  #completeness: Completeness | undefined
  #boundary: HeldSlice['boundary']
  #rejected: number
  #counts: Counts
  #missingKey: string | undefined

  constructor(claimed: HeldSlice, stream: StreamContext, { keyUse, fieldWatch }: ProgressOptions) {
    this.#keyUse = keyUse
    this.#fieldWatch = fieldWatch
    this.#claimed = claimed
    this.#stream = stream
    this.#seq = claimed.seq
    this.#position = claimed.position
    this.#highWaterMark = claimed.highWaterMark
    this.#completeness = claimed.completeness
    this.#boundary = claimed.boundary
    this.#rejected = claimed.rejected
    this.#counts = claimed.counts
  }

  /** Batches committed since the slice was created. */
  get seq(): number {
    return this.#seq
  }

  get isAtEnd(): boolean {
    return isEnd(this.#position)
  }

  get slice(): HeldSlice {
    const { highWaterMark: _high, completeness: _completeness, ...slice } = this.#claimed
    return {
      ...slice,
      seq: this.#seq,
      position: this.#position,
      rejected: this.#rejected,
      counts: this.#counts,
      ...defined({ boundary: this.#boundary, highWaterMark: this.#highWaterMark, completeness: this.#completeness }),
    }
  }

  /**
   * Returns a sentence about the field of the key that no record of the slice has, up to the end of a batch. Undefined
   * once a row was stored.
   */
  missingKey({ counts, missingKey }: WrittenBatch): string | undefined {
    this.#missingKey ??= missingKey
    const { inserted, updated, unchanged, duplicate } = addCounts(this.#counts, counts)
    return inserted + updated + unchanged + duplicate > 0 ? undefined : this.#missingKey
  }

  /** Returns what a batch adds to the slice. Throws if the batch must not be committed. */
  advance(
    written: WrittenBatch,
    position: Position,
    { swap, loaded }: { readonly swap: Advance['swap']; readonly loaded: ReadonlySet<string> },
  ): Advance {
    this.#missingKey ??= written.missingKey
    const { counts, rejects, completeness, children, boundaryMatches = [], settles = [], parentCursors = [] } = written
    const key = identifyingFields(this.#stream.table)
    const seen = maxHighWaterMark(this.#highWaterMark, written.highWaterMark)
    const highWaterMark = isEnd(position) ? maxHighWaterMark(seen, this.#stepEnd()) : seen
    if (swap && this.#stream.table.write === 'replace' && highWaterMark && !highWaterMark.isToken)
      throw this.#incrementalReplace()
    const boundaryRemaining = boundaryMatches.length > 0 ? without(this.#boundary, boundaryMatches) : undefined
    const { isKeyChanged } = this.#keyUse
    const shown = written.fieldValues ?? NO_FIELD_VALUES
    const fieldValues = this.#fieldWatch?.next(shown, isEnd(position) ? loaded : undefined)
    return {
      position,
      counts,
      rejects,
      key,
      isKeyChanged,
      settles,
      // What is not proven to be complete is read again, unless the definition accepts it as it is.
      parentCursors: parentCursors.filter(({ isOpen }) => !isOpen || this.#stream.table.complete === 'any'),
      ...defined({
        highWaterMark,
        completeness: this.#hidden(completeness),
        children,
        swap,
        boundaryRemaining,
        fieldValues,
        // It is stored, and quotes a key.
        sharedKey: written.sharedKey && this.#stream.run.context.secrets.hide(written.sharedKey),
      }),
    }
  }

  /** Records that a batch is committed. */
  commit({ position, counts, highWaterMark, completeness, boundaryRemaining, fieldValues }: Advance): void {
    this.#fieldWatch?.commit(fieldValues)
    this.#seq += 1
    this.#position = position
    this.#rejected += counts.rejected
    this.#counts = addCounts(this.#counts, counts)
    this.#highWaterMark = highWaterMark
    this.#completeness = worstOf(this.#completeness, completeness)
    this.#boundary = boundaryRemaining ?? this.#boundary
  }

  /** Throws if these rejects and the committed ones are more than the table allows. */
  checkRejects(rejects: readonly Reject[]): void {
    const { table, streamName } = this.#stream
    const all = this.#rejected + rejects.length
    if (rejects.length === 0 || all <= table.maxRejects) return
    const reasons = [...new Set(rejects.map(({ stage, reason }) => `${stage}: ${reason}`))].slice(0, QUOTED_REJECTS)
    throw new TooManyRejectsError(
      `${streamName}: ${all} ${all === 1 ? 'record was' : 'records were'} rejected, ` +
        `more than maxRejects: ${table.maxRejects} allows (${reasons.join('; ')}). ` +
        'Nothing of this batch was stored: correct the records or the stage, or raise maxRejects',
    )
  }

  /** Returns the completeness of the slice up to the end of a batch. */
  wholeCompleteness({ completeness }: WrittenBatch): Completeness | undefined {
    return worstOf(this.#completeness, this.#hidden(completeness))
  }

  /** Returns the high-water mark of the slice up to the end of a batch. */
  wholeHighWaterMark({ highWaterMark }: WrittenBatch): HighWaterMark | undefined {
    return maxHighWaterMark(this.#highWaterMark, highWaterMark)
  }

  /** Throws if the slice would end with a reading that is open and the table does not accept that. */
  checkComplete(written: WrittenBatch): void {
    const { table, streamName } = this.#stream
    const whole = this.wholeCompleteness(written)
    const text = openText(whole)
    if (whole === undefined || text === undefined || acceptsOpen(table)) return
    const consequence =
      table.write === 'replace'
        ? `${table.name} stays as it is, because replace deletes the rows that were not read`
        : "The table has complete: 'required', so the reading does not end and its cursor stays"
    throw new IncompleteError(
      `${streamName}: it is not proven that everything was read: ${text}. ${consequence}. ` +
        'The next run reads the same range from its start again. ' +
        "Correct what is named here, or accept such readings with complete: 'any'",
      { reasons: whole.reasons },
    )
  }

  /**
   * Returns the end of a step as its high-water mark. Without it a step in which nothing changed would be read for
   * ever. No row carries exactly this value.
   */
  #stepEnd(): HighWaterMark | undefined {
    const { kind, until } = this.#claimed
    if (kind !== 'sync' || until === undefined) return undefined
    return { value: until, ...(this.#boundary && { hashes: [] }) }
  }

  /** Reasons may quote the API and functions of the pipeline. They are stored and shown. */
  #hidden(completeness: Completeness | undefined): Completeness | undefined {
    if (completeness?.grade !== 'open') return completeness
    const { secrets } = this.#stream.run.context
    return { grade: 'open', reasons: completeness.reasons.map((reason) => secrets.hide(reason)) }
  }

  #incrementalReplace(): UsageError {
    return new UsageError(
      `${this.#stream.streamName}: replace leaves only what was read in the table, ` +
        'and .incremental() in its children reads only what is new. ' +
        "Leave .incremental() out, or choose { write: 'merge' }",
    )
  }
}

/** Returns several batches as one. */
export function mergeBatches(all: readonly WrittenBatch[]): WrittenBatch {
  const highWaterMark = all.reduce<HighWaterMark | undefined>(
    (greatest, written) => maxHighWaterMark(greatest, written.highWaterMark),
    undefined,
  )
  const completeness = all.reduce<Completeness | undefined>(
    (worst, written) => worstOf(worst, written.completeness),
    undefined,
  )
  const boundaryMatches = all.flatMap((written) => written.boundaryMatches ?? [])
  return {
    counts: addCounts(NO_COUNTS, ...all.map(({ counts }) => counts)),
    rejects: all.flatMap(({ rejects }) => rejects),
    fieldValues: addFieldValues(...all.map(({ fieldValues = NO_FIELD_VALUES }) => fieldValues)),
    settles: all.flatMap(({ settles = [] }) => settles),
    ...(all.some(({ hasUnknownRecords }) => hasUnknownRecords) && { hasUnknownRecords: true }),
    parentCursors: all.flatMap(({ parentCursors = [] }) => parentCursors),
    ...defined({
      highWaterMark,
      completeness,
      children: addChildren(...all.map(({ children }) => children)),
      missingKey: all.find(({ missingKey }) => missingKey !== undefined)?.missingKey,
      sharedKey: all.find(({ sharedKey }) => sharedKey !== undefined)?.sharedKey,
    }),
    ...(boundaryMatches.length > 0 && { boundaryMatches }),
  }
}

/** Returns a boundary without some of its hashes, each taken off once. */
function without(boundary: HeldSlice['boundary'] = {}, matches: readonly string[]): Record<string, number> {
  const left = new Map(Object.entries(boundary))
  for (const hash of matches) left.set(hash, (left.get(hash) ?? 0) - 1)
  return Object.fromEntries([...left].filter(([, times]) => times > 0))
}
