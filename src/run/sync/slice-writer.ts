import type { Database, Transaction } from '../../database/database.ts'
import { isRowError, isTableChanged, isTransient, sqlState } from '../../database/errors.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { ledgerError } from '../../ledger/errors.ts'
import { advanceSql } from '../../ledger/slices/transitions.ts'
import type { HeldSlice } from '../../ledger/slices/held-slice.ts'
import { resolveCommit } from '../../ledger/slices/resolve-commit.ts'
import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import type { TableWriter } from '../../load/table-writer.ts'
import type { WrittenBatch } from '../../load/write-batch.ts'
import type { Advance, Counts } from '../../model/batch.ts'
import { maxHighWaterMark } from '../../model/high-water-mark.ts'
import { TooManyRejectsError, UsageError } from '../../model/errors.ts'
import { END, type HighWaterMark, type Position, type Reject } from '../../model/page.ts'
import { sessionMark } from '../../model/slice.ts'
import { addCounts, NO_COUNTS } from '../../model/counts.ts'
import { defineErrorName, messageOf } from '../../value/error.ts'

/** The reading has to be taken up again from the last committed position: what was sent cannot be sent once more. */
export class ReadAgainError extends Error {
  static {
    defineErrorName(this)
  }
}

export interface Committed {
  readonly seq: number
  readonly pages: number
  readonly bytes: number
  readonly ms: number
  readonly counts: Counts
  readonly swap?: Advance['swap']
}

export interface SliceWriterOptions {
  readonly database: Database
  readonly slice: HeldSlice
  readonly target: TableWriter
  /** `pipeline.stream`, for messages. */
  readonly streamName: string
  readonly maxRejects: number
  readonly committed: (batch: Committed) => void
  /** Statements that are committed with the end of the slice. @default none */
  readonly also?: (() => string) | undefined
  /** Not the signal that stops reading: a commit goes on for some seconds after the run was asked to stop. */
  readonly signal: AbortSignal
}

const MAX_ATTEMPTS = 8

/**
 * Commits the batches of one slice in order, each in one transaction with the slice's position and counts.
 *
 * | what happens | what is done |
 * |---|---|
 * | a batch whose last page has a position | COPY, write mode, advance, commit; kept until its outcome is known |
 * | a batch without a position | its rows wait in the open transaction for one that has it, or for the end |
 * | a row that the database refuses | the batch once more, halved by savepoints until the bad rows stand alone |
 * | deadlock, lost connection, lost answer to COMMIT | the ledger is asked what became of it; sent again only if it is not in |
 * | the table has changed, or the connection was lost under an open transaction | `ReadAgainError`: read again from the last commit |
 */
export class SliceWriter implements AsyncDisposable {
  readonly #options: SliceWriterOptions
  #seq: number
  #position: Position
  #highWaterMark: HighWaterMark | undefined
  #boundaryRemaining: HeldSlice['boundary']
  #rejected: number
  #held: Held | undefined

  constructor(options: SliceWriterOptions) {
    this.#options = options
    const { slice } = options
    this.#seq = slice.seq
    this.#position = slice.position
    this.#rejected = slice.rejected
    this.#highWaterMark = slice.highWaterMark
    this.#boundaryRemaining = slice.boundary
  }

  /** Store whole pages, in their order. */
  async write(pages: readonly EncodedPage[]): Promise<void> {
    const position = pages.at(-1)?.position
    if (position === undefined) await this.#hold(pages)
    else if (this.#held) await this.#release(pages, position)
    else await this.#commit(pages, position)
  }

  /** The slice as it is committed now: where a reading that is taken up again begins. */
  get slice(): HeldSlice {
    const { highWaterMark: _, ...slice } = this.#options.slice
    return {
      ...slice,
      ...(this.#boundaryRemaining && { boundary: this.#boundaryRemaining }),
      seq: this.#seq,
      position: this.#position,
      rejected: this.#rejected,
      ...(this.#highWaterMark && { highWaterMark: this.#highWaterMark }),
    }
  }

  /** Whether rows wait in an open transaction, between which nothing else may be done to the table. */
  get holding(): boolean {
    return this.#held !== undefined
  }

  /** The source has nothing more: complete the slice, unless its last page already did. */
  async end(): Promise<void> {
    if (isEnd(this.#position)) return
    if (this.#held) await this.#release([], END)
    else await this.#commit([], END)
  }

  /** Give up what waits in the open transaction; it has to be read again. */
  async abandon(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    await held?.transaction[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon()
  }

  async #commit(pages: readonly EncodedPage[], position: Position): Promise<void> {
    const { database, slice, target, signal } = this.#options
    const started = performance.now()
    let bisecting = false
    let sent: Outcome | undefined
    for (let attempt = 1; ; attempt += 1) {
      let outcome: Outcome | undefined
      try {
        // The last one of a replace brings the whole table to what was read; both sides have to give it time.
        await using transaction = await database.transaction({
          sessionTag: sessionMark(slice),
          ...(isEnd(position) && target.table.write === 'replace' && { statementTimeout: '2h' }),
          signal,
        })
        const written = await this.#store(transaction, pages, bisecting)
        outcome = await this.#outcome(transaction, written, position)
        await transaction.commit(this.#last(outcome))
        this.#done(outcome, pages, started)
        return
      } catch (error) {
        if (!bisecting && isSplittable(error)) {
          bisecting = true
          continue
        }
        if (isTableChanged(error))
          throw new ReadAgainError(`${this.#options.streamName}: the table has changed (${messageOf(error)})`, {
            cause: error,
          })
        const refused = isRefused(error)
        if (attempt >= MAX_ATTEMPTS || !(refused || isTransient(error)))
          throw ledgerError(error, this.#options.streamName) ?? error
        if (!refused) {
          sent = outcome ?? sent
          await sleep(Math.min(50 * 2 ** attempt, 5_000) * (0.5 + Math.random() / 2), { signal })
        }
        if ((await resolveCommit(database, slice, this.#seq, { signal })) === 'again') continue
        // In after all: its answer was lost, or it landed while it was being sent again.
        if (sent === undefined) throw ledgerError(error, this.#options.streamName) ?? error
        this.#done(sent, pages, started)
        return
      }
    }
  }

  /** Store rows that nothing may be committed after yet. */
  async #hold(pages: readonly EncodedPage[]): Promise<void> {
    const { database, slice, signal } = this.#options
    this.#held ??= {
      transaction: await database.transaction({ sessionTag: sessionMark(slice), signal }),
      written: [],
      pages: [],
      started: performance.now(),
    }
    const { transaction, written, pages: earlier } = this.#held
    try {
      written.push(await this.#storeInside(transaction, pages))
      earlier.push(...pages.map(({ bytes }) => ({ bytes })))
    } catch (error) {
      throw this.#cannotResend(error)
    }
  }

  /** A position at last: what was held and these pages become one commit. */
  async #release(pages: readonly EncodedPage[], position: Position): Promise<void> {
    const { database, slice, signal } = this.#options
    const { transaction, written, pages: earlier, started } = this.#held!
    let outcome: Outcome | undefined
    try {
      if (pages.length > 0) written.push(await this.#storeInside(transaction, pages))
      outcome = await this.#outcome(transaction, merged(written), position)
      await transaction.commit(this.#last(outcome))
    } catch (error) {
      if (!outcome || !isTransient(error) || (await resolveCommit(database, slice, this.#seq, { signal })) === 'again')
        throw this.#cannotResend(error)
    }
    this.#held = undefined
    // Where it is in although its answer was lost, nobody has given its connection back yet.
    await transaction[Symbol.asyncDispose]()
    this.#done(outcome, [...earlier, ...pages], started)
  }

  async #store(transaction: Transaction, pages: readonly EncodedPage[], bisecting: boolean): Promise<WrittenBatch> {
    const { target } = this.#options
    if (pages.length === 0) return nothing
    return bisecting ? target.writeBisecting(transaction, pages) : target.write(transaction, pages)
  }

  /** Inside an open transaction a row fault must not undo what is held. */
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

  async #outcome(transaction: Transaction, written: WrittenBatch, position: Position): Promise<Outcome> {
    this.#refuseTooMany(written.rejects)
    const highWaterMark = maxHighWaterMark(this.#highWaterMark, written.highWaterMark)
    const swap = isEnd(position) ? await this.#options.target.finish(transaction) : undefined
    if (swap && highWaterMark)
      throw new UsageError(
        `${this.#options.streamName}: replace leaves in the table only what was read, and .incremental() in its children reads only what is new: leave .incremental() out, or choose { write: 'merge' }`,
      )
    const { counts, rejects, boundaryMatches = [] } = written
    return {
      highWaterMark,
      advance: {
        position,
        counts,
        rejects,
        ...(highWaterMark && { highWaterMark }),
        ...(swap && { swap }),
        ...(boundaryMatches.length > 0 && { boundaryRemaining: without(this.#boundaryRemaining, boundaryMatches) }),
      },
    }
  }

  /** What commits a batch, in one query with the commit itself. */
  #last({ advance }: Outcome): string {
    const { slice, also } = this.#options
    return `${isEnd(advance.position) && also ? `${also()};\n` : ''}${advanceSql(slice, this.#seq, advance)}`
  }

  #done({ advance, highWaterMark }: Outcome, pages: readonly { readonly bytes: number }[], started: number): void {
    this.#seq += 1
    this.#highWaterMark = highWaterMark
    this.#boundaryRemaining = advance.boundaryRemaining ?? this.#boundaryRemaining
    this.#rejected += advance.counts.rejected
    this.#position = advance.position
    const bytes = pages.reduce((sum, page) => sum + page.bytes, 0)
    this.#options.committed({
      seq: this.#seq,
      pages: pages.length,
      bytes,
      ms: Math.round(performance.now() - started),
      counts: advance.counts,
      ...(advance.swap && { swap: advance.swap }),
    })
  }

  #refuseTooMany(rejects: readonly Reject[]): void {
    const { maxRejects, streamName } = this.#options
    const all = this.#rejected + rejects.length
    if (rejects.length === 0 || all <= maxRejects) return
    const reasons = rejects
      .slice(0, 3)
      .map(({ stage, reason }) => `${stage}: ${reason}`)
      .join('; ')
    throw new TooManyRejectsError(
      `${streamName}: ${all} records were rejected, more than maxRejects: ${maxRejects} admits (${reasons}). Nothing of this batch was stored: mend the records or the stage, or raise maxRejects`,
    )
  }

  #cannotResend(error: unknown): unknown {
    if (!isTransient(error) && !isTableChanged(error)) return ledgerError(error, this.#options.streamName) ?? error
    return new ReadAgainError(
      `${this.#options.streamName}: the transaction that held pages without a position was lost`,
      {
        cause: error,
      },
    )
  }
}

interface Held {
  readonly transaction: Transaction
  readonly written: WrittenBatch[]
  readonly pages: { readonly bytes: number }[]
  readonly started: number
}

interface Outcome {
  readonly advance: Advance
  readonly highWaterMark: HighWaterMark | undefined
}

const nothing: WrittenBatch = { counts: NO_COUNTS, rejects: [] }

const merged = (all: readonly WrittenBatch[]): WrittenBatch => {
  const highWaterMark = all.reduce<HighWaterMark | undefined>(
    (greatest, written) => maxHighWaterMark(greatest, written.highWaterMark),
    undefined,
  )
  const boundaryMatches = all.flatMap((written) => written.boundaryMatches ?? [])
  return {
    counts: addCounts(NO_COUNTS, ...all.map(({ counts }) => counts)),
    rejects: all.flatMap(({ rejects }) => rejects),
    ...(highWaterMark && { highWaterMark }),
    ...(boundaryMatches.length > 0 && { boundaryMatches }),
  }
}

/** What is left of some hashes, each with its number. */
function without(boundary: HeldSlice['boundary'] = {}, boundaryMatches: readonly string[]): Record<string, number> {
  const left = new Map(Object.entries(boundary))
  for (const hash of boundaryMatches) left.set(hash, (left.get(hash) ?? 0) - 1)
  return Object.fromEntries([...left].filter(([, times]) => times > 0))
}

const isEnd = (position: Position): boolean =>
  typeof position === 'object' && position !== null && 'end' in position && position['end'] === true

/** A row may be at fault, or two rows that only the database takes for equal (21000). */
const isSplittable = (error: unknown): boolean => isRowError(error) || sqlState(error) === '21000'

/** The ledger's fence: the slice's token or batch number is not what it was. */
const isRefused = (error: unknown): boolean => sqlState(error) === 'SL001'
