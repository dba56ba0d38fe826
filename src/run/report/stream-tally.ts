import type { Advance, Counts } from '../../model/batch.ts'
import { worstOf, type Completeness } from '../../model/completeness.ts'
import { marksDeleted, removesAnnounced } from '../../model/deletions.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Table } from '../../model/recipe.ts'
import type { Status, StreamReceipt, StreamReport } from '../../model/report.ts'
import { defined } from '../../value/defined.ts'
import { addChildren, addCounts, NO_COUNTS } from '../../model/counts.ts'

/** Counts what one run commits of one stream, and what it requests. `report` is called once, at the stream's end. */
export class StreamTally {
  readonly #table: string
  readonly #deletedRows: StreamReport['deletedRows']
  readonly #isMirror: boolean
  readonly #started = performance.now()
  readonly #warnings = new Set<string>()
  #counts: Counts = NO_COUNTS
  #swap: Advance['swap']
  #children: Advance['children']
  /** Of the slices that are done. */
  #accepted: Completeness | undefined
  /** Of the slices that came to their end and failed, because they are open. */
  #refused: Completeness | undefined
  #since: string | undefined
  #cursor: string | undefined
  #resumed = false
  #hasSlice = false
  #requests = 0
  #retries = 0
  #skipped = 0
  #waitMs = 0
  #batches = 0
  #keptRows: number | undefined
  #bytes = 0
  #receipt: StreamReceipt | undefined

  constructor(table: Table) {
    this.#table = table.name
    this.#isMirror = table.mirror !== undefined
    const ofMerge = marksDeleted(table) ? 'marked' : 'deleted'
    const becomes = table.write === 'history' ? 'ended' : ofMerge
    this.#deletedRows = removesAnnounced(table) ? becomes : undefined
  }

  get counts(): Counts {
    return this.#counts
  }

  /** A run may read several slices of a stream: the report shows where the first one begins. */
  sliceStarted({ since, resumed }: { readonly since?: string | undefined; readonly resumed: boolean }): void {
    if (!this.#hasSlice) [this.#since, this.#resumed] = [since, resumed]
    this.#hasSlice = true
  }

  committed(
    counts: Counts,
    {
      swap,
      children,
      cursor,
    }: {
      readonly swap?: Advance['swap']
      readonly children?: Advance['children']
      readonly cursor?: string | undefined
    },
  ): void {
    this.#counts = addCounts(this.#counts, counts)
    this.#batches += 1
    // Each window of a backfill may have deleted rows.
    const deleted = this.#isMirror ? (this.#swap?.deleted ?? 0) : 0
    if (swap) this.#swap = { ...swap, deleted: swap.deleted + deleted }
    this.#children = addChildren(this.#children, children)
    if (cursor !== undefined) this.#cursor = cursor
  }

  /** The cursor is there now: ranges that are read at once end in any order. */
  cursorMoved(cursor: string | undefined): void {
    this.#cursor = cursor ?? this.#cursor
  }

  /** The worst completeness of the slices that are done. */
  get accepted(): Completeness | undefined {
    return this.#accepted
  }

  /** Counts a slice that is done. */
  sliceFinished(completeness: Completeness | undefined): void {
    this.#accepted = worstOf(this.#accepted, completeness)
  }

  /** Counts a slice that came to its end and is not done, because it is open. */
  sliceRefused(reasons: readonly string[]): void {
    this.#refused = worstOf(this.#refused, { grade: 'open', reasons })
  }

  /** Rows of the table that the last full reading did not bring; undefined if that is not known. */
  keptRows(rows: number | undefined): void {
    this.#keptRows = rows ?? this.#keptRows
  }

  /** What the stream has cost the database; undefined if it has written nothing. */
  receipt(receipt: StreamReceipt | undefined): void {
    this.#receipt = receipt
  }

  /**
   * Adds what other runs have requested for this one, and what they did to the tables of nested lists and to rows that
   * are gone. What they committed is counted batch by batch.
   */
  readElsewhere({ requests, retries, skipped = 0, waitMs, bytes, children, mirroredRows = 0 }: StreamReport): void {
    this.#requests += requests
    this.#retries += retries
    this.#skipped += skipped
    this.#waitMs += waitMs
    this.#bytes += bytes
    this.#children = addChildren(this.#children, children)
    if (mirroredRows > 0) this.#swap = { inserted: 0, updated: 0, deleted: (this.#swap?.deleted ?? 0) + mirroredRows }
  }

  event(event: RunEvent): void {
    if (event.type === 'request.finished') {
      this.#requests += 1
      this.#bytes += event.bytes
    } else if (event.type === 'request.retried') this.#retries += 1
    else if (event.type === 'response.skipped') this.#skipped += 1
    else if (event.type === 'waiting' && (event.for === 'rate limit' || event.for === 'retry-after'))
      this.#waitMs += event.ms
    else if (event.type === 'warning') this.#warnings.add(event.message)
  }

  report(status: Status, error?: string): StreamReport {
    const mirroredRows = this.#isMirror ? this.#swap?.deleted : undefined
    return {
      status: status === 'interrupted' && !this.#hasSlice ? 'not run' : status,
      table: this.#table,
      counts: this.#counts,
      ...defined({
        keptRows: this.#keptRows,
        deletedRows: this.#counts.deleted > 0 || (mirroredRows ?? 0) > 0 ? this.#deletedRows : undefined,
        mirroredRows,
        swap: this.#isMirror ? undefined : this.#swap,
        children: this.#children,
        completeness: worstOf(this.#accepted, this.#refused),
        since: this.#since,
        cursor: this.#cursor ?? this.#since,
      }),
      resumed: this.#resumed,
      requests: this.#requests,
      retries: this.#retries,
      ...(this.#skipped > 0 && { skipped: this.#skipped }),
      waitMs: Math.round(this.#waitMs),
      batches: this.#batches,
      bytes: this.#bytes,
      ms: Math.round(performance.now() - this.#started),
      warnings: [...this.#warnings],
      ...defined({ receipt: this.#receipt, error }),
    }
  }
}
