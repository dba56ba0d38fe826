import type { Transaction } from '../../database/database.ts'
import { isTableChanged, isTransient, sqlState } from '../../database/errors.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { ledgerError } from '../../ledger/errors.ts'
import { resolveCommit } from '../../ledger/slices/resolve-commit.ts'
import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import type { PageChange } from '../../load/page-change.ts'
import { CHANGE_LIMITS } from '../../load/shape/change-table.ts'
import type { TableWriter } from '../../load/table-writer.ts'
import { hasRows, type WrittenBatch } from '../../load/write-batch.ts'
import type { Advance } from '../../model/batch.ts'
import { NO_COUNTS } from '../../model/counts.ts'
import { SchemaError } from '../../model/errors.ts'
import { END, isEnd, type Position } from '../../model/page.ts'
import { sessionMark } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import { defineErrorName, messageOf } from '../../value/error.ts'
import { isFenceError, isSplittable } from './commit-errors.ts'
import { CommitSql } from './commit-sql.ts'
import { endSlice, limitsOf, type EndedSlice } from './end-slice.ts'
import { REFUSED, UNKNOWN_RECORDS, type MirrorReading } from './mirror-reading.ts'
import type { SliceContext, SliceSource } from './slice-context.ts'
import { mergeBatches, SliceProgress, type ProgressOptions } from './slice-progress.ts'

/** The slice has to be read again from its last committed position: its rows cannot be sent a second time. */
export class ReadAgainError extends Error {
  static {
    defineErrorName(this)
  }
}

export interface SliceWriterOptions extends ProgressOptions {
  readonly source?: SliceSource
  readonly mirror?: MirrorReading | undefined
}

const MAX_ATTEMPTS = 8

/**
 * Commits the batches of one slice in order, each in one transaction with the slice's position and counts.
 *
 * | event | action |
 * |---|---|
 * | a batch whose last page has a position | COPY, write mode, advance, commit; kept until its outcome is known |
 * | a page that needs a change of the table | the change and the page in one transaction |
 * | a batch without a position | its rows wait in the open transaction for a page with a position, or for the end |
 * | a row that the database refuses | the batch again, bisected by savepoints until the bad rows stand alone |
 * | deadlock, lost connection, lost answer to COMMIT | reads the outcome from the ledger; sends a missing batch again |
 * | the table changed, or the connection was lost under an open transaction | `ReadAgainError` |
 */
export class SliceWriter implements AsyncDisposable {
  readonly #context: SliceContext
  readonly #target: TableWriter
  readonly #commitSql: CommitSql
  readonly #progress: SliceProgress
  readonly #mirror: MirrorReading | undefined
  #open: OpenTransaction | undefined
  #ended: EndedSlice | undefined

  constructor(context: SliceContext, target: TableWriter, { source = {}, mirror, ...options }: SliceWriterOptions) {
    this.#context = context
    this.#target = target
    this.#commitSql = new CommitSql(context, target, { source, mirror })
    this.#mirror = mirror
    this.#progress = new SliceProgress(context.slice, context.stream, options)
  }

  /** Stores whole pages, in their order. */
  async write(pages: readonly EncodedPage[]): Promise<void> {
    const position = pages.at(-1)?.position
    if (position === undefined) await this.#extend(pages)
    else if (this.#open) await this.#close(this.#open, pages, position)
    else await this.#commit(pages, position)
  }

  /**
   * Returns true if a page can be stored in the transaction that changes its table. A page without a position waits,
   * and the swap of a replace may take hours: neither must hold the table's lock, which excludes readers.
   */
  storesWithChange(position: Position | undefined): position is Position {
    if (position === undefined || this.#open) return false
    return !isEnd(position) || !this.#isLongAtEnd() || this.#progress.seq === 0
  }

  readonly #isLongAtEnd = (): boolean =>
    this.#context.stream.table.write === 'replace' || this.#target.mirror !== undefined

  /** Changes the table for a page with a position, and stores the page, in one transaction. */
  async writeChanged(change: PageChange, position: Position): Promise<void> {
    await this.#commit([], position, change)
  }

  /** Why the slice has not ended, though everything was read and stored. */
  get refusal(): EndedSlice['refusal'] {
    return this.#ended?.refusal
  }

  /** True while rows wait in an open transaction. Nothing else may be done to the table then. */
  get hasOpenTransaction(): boolean {
    return this.#open !== undefined
  }

  /** Completes the slice, unless its last page did. */
  async end(): Promise<void> {
    if (this.#progress.isAtEnd || this.refusal) return
    if (this.#open) await this.#close(this.#open, [], END)
    else await this.#commit([], END)
  }

  /** Rolls back what waits in the open transaction. It has to be read again. */
  async abandon(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.transaction[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon()
  }

  /** Commits pages in a transaction of their own, as often as it takes. `change` brings its page. */
  async #commit(given: readonly EncodedPage[], position: Position, change?: PageChange): Promise<void> {
    const started = performance.now()
    let bisects = false
    let sent: Advance | undefined
    let pages = given
    for (let attempt = 1; ; attempt += 1) {
      let advance: Advance | undefined
      try {
        await using transaction = await this.#begin(isEnd(position), change)
        if (isEnd(position)) await this.#target.mirror?.lock(transaction)
        if (change) pages = [await change.apply(transaction)]
        const written = await this.#store(transaction, pages, bisects)
        // A change for which no row could be stored is taken back. The rejects and the position are committed.
        if (change?.hasAltered && !hasRows(written, this.#context.stream.table)) {
          await change.undo()
          this.#mirror?.keepAll(UNKNOWN_RECORDS)
        }
        advance = await this.#advance(transaction, written, { pages, position, isCareful: bisects })
        await transaction.commit(this.#commitSql.of(this.#progress.seq, advance))
        this.#committed(advance, pages, started)
        return
      } catch (error) {
        if (error instanceof SchemaError) throw error
        if (!bisects && isSplittable(error)) {
          bisects = true
          continue
        }
        if (isTableChanged(error)) throw this.#readAgain(`the table has changed (${messageOf(error)})`, error)
        const isRefused = isFenceError(error)
        if (attempt >= MAX_ATTEMPTS || !(isRefused || isTransient(error))) throw await this.#explained(error)
        if (!isRefused) {
          sent = advance ?? sent
          await this.#backOff(attempt)
        }
        if (!(await this.#isCommitted())) {
          if (change) await this.#endLostSession()
          continue
        }
        // It is in: its answer was lost, or it was committed while it was sent again.
        if (sent === undefined) throw await this.#explained(error)
        this.#committed(sent, pages, started)
        return
      }
    }
  }

  /** Adds pages without a position to the open transaction: nothing may be committed after them yet. */
  async #extend(pages: readonly EncodedPage[]): Promise<void> {
    this.#open ??= { transaction: await this.#begin(false), written: [], pages: [], started: performance.now() }
    const { transaction, written, pages: earlier } = this.#open
    try {
      written.push(await this.#storeInside(transaction, pages))
      earlier.push(...pages.map(({ bytes }) => ({ bytes })))
    } catch (error) {
      throw await this.#cannotResend(error)
    }
  }

  /** Commits the open transaction with the pages that have brought a position. */
  async #close(open: OpenTransaction, pages: readonly EncodedPage[], position: Position): Promise<void> {
    const { transaction, written, pages: earlier, started } = open
    let advance: Advance | undefined
    try {
      if (pages.length > 0) written.push(await this.#storeInside(transaction, pages))
      advance = await this.#advance(transaction, mergeBatches(written), { pages, position })
      await transaction.commit(this.#commitSql.of(this.#progress.seq, advance))
    } catch (error) {
      if (!advance || !isTransient(error) || !(await this.#isCommitted())) throw await this.#cannotResend(error)
    }
    this.#open = undefined
    // After a lost answer to COMMIT the transaction still has its connection.
    await transaction[Symbol.asyncDispose]()
    this.#committed(advance, [...earlier, ...pages], started)
  }

  async #begin(isLast: boolean, change?: PageChange): Promise<Transaction> {
    const { stream, slice } = this.#context
    return stream.database.transaction({
      sessionTag: sessionMark(slice),
      signal: stream.writeSignal,
      ...limitsOf(stream.table, isLast && this.#isLongAtEnd()),
      ...(change && CHANGE_LIMITS),
    })
  }

  async #store(transaction: Transaction, pages: readonly EncodedPage[], bisects: boolean): Promise<WrittenBatch> {
    if (pages.length === 0) return NOTHING
    return bisects ? this.#target.writeBisecting(transaction, pages) : this.#target.write(transaction, pages)
  }

  /** Stores pages under a savepoint: an error of a row must not undo what waits in the transaction. */
  async #storeInside(transaction: Transaction, pages: readonly EncodedPage[]): Promise<WrittenBatch> {
    try {
      await using savepoint = await transaction.savepoint()
      const written = await this.#store(transaction, pages, false)
      await savepoint.release()
      return written
    } catch (error) {
      if (!isSplittable(error)) throw error
      return this.#store(transaction, pages, true)
    }
  }

  async #advance(
    transaction: Transaction,
    written: WrittenBatch,
    { pages, position, isCareful = false }: { pages: readonly EncodedPage[]; position: Position; isCareful?: boolean },
  ): Promise<Advance> {
    this.#progress.checkRejects(written.rejects)
    if (written.hasUnknownRecords) this.#mirror?.keepAll(UNKNOWN_RECORDS)
    const { loadedFields: loaded } = this.#target
    const [context, target, progress, mirror] = [this.#context, this.#target, this.#progress, this.#mirror]
    const of = { context, target, progress, mirror, last: pages.at(-1), isCareful }
    const end = isEnd(position) ? (this.#ended = await endSlice(transaction, written, of)) : undefined
    await context.stream.receipt?.note(context.slice.id, transaction)
    return progress.advance(end?.written ?? written, end?.refusal ? REFUSED : position, { swap: end?.swap, loaded })
  }

  #committed(advance: Advance, pages: readonly { readonly bytes: number }[], started: number): void {
    this.#commitSql.committed(advance)
    for (const warning of this.#ended?.warnings ?? []) this.#context.stream.warn(warning)
    this.#progress.commit(advance)
    this.#context.slice = this.#progress.slice
    this.#context.onCommit({
      seq: this.#progress.seq,
      pages: pages.length,
      bytes: pages.reduce((sum, page) => sum + page.bytes, 0),
      ms: Math.round(performance.now() - started),
      counts: advance.counts,
      ...defined({ swap: advance.swap, children: advance.children }),
    })
  }

  /**
   * Ends the session of a connection that was lost. The server may not have noticed, and the session holds the lock of
   * the changed table, which the next attempt needs. Sessions of the slice are this run's own as long as it holds it.
   */
  async #endLostSession(): Promise<void> {
    const { stream, slice } = this.#context
    await stream.database.terminateTagged(sessionMark(slice), { signal: stream.writeSignal })
  }

  async #isCommitted(): Promise<boolean> {
    const { stream, slice } = this.#context
    const { database, writeSignal: signal } = stream
    return (await resolveCommit(database, slice, this.#progress.seq, { signal })) === 'committed'
  }

  async #backOff(attempt: number): Promise<void> {
    const longest = Math.min(50 * 2 ** attempt, 5_000)
    await sleep(longest * (0.5 + Math.random() / 2), { signal: this.#context.stream.writeSignal })
  }

  /** Says which right is missing, if one is. */
  async #explained(error: unknown): Promise<unknown> {
    const known = ledgerError(error, this.#context.stream.streamName)
    if (known || sqlState(error) !== '42501') return known ?? error
    return (await this.#target.missingRights(error)) ?? error
  }

  async #cannotResend(error: unknown): Promise<unknown> {
    if (!isTransient(error) && !isTableChanged(error)) return this.#explained(error)
    return this.#readAgain('the transaction with pages without a position was lost', error)
  }

  #readAgain(reason: string, cause: unknown): ReadAgainError {
    return new ReadAgainError(`${this.#context.stream.streamName}: ${reason}`, { cause })
  }
}

/** Rows that wait for a position. */
interface OpenTransaction {
  readonly transaction: Transaction
  readonly written: WrittenBatch[]
  readonly pages: { readonly bytes: number }[]
  readonly started: number
}

const NOTHING: WrittenBatch = { counts: NO_COUNTS, rejects: [] }
