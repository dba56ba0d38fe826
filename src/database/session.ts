import type { QueryResult } from 'pg'
import { abortable } from '../flow/signals/abortable.ts'
import { deadline } from '../flow/signals/timeout.ts'
import { sleep } from '../flow/signals/sleep.ts'
import { DatabaseError } from '../model/errors.ts'
import { sendCancel } from './cancel.ts'
import type { WatchedClient } from './client.ts'
import { startCopy, type Chunks } from './copy.ts'
import { ConnectionLostError, isConnectionError, sqlState } from './errors.ts'

/** What one statement answered. */
export interface Result<Row extends object = Record<string, unknown>> {
  readonly rows: Row[]
  /** Names of its columns, as often as they come: of several with one name, `rows` hold the last. */
  readonly columns: readonly string[]
  /** Rows that the statement read or wrote; 0 where it has no such count. */
  readonly count: number
  /** `INSERT`, `COMMIT`, …, as the server reports it. */
  readonly command: string
}

export interface StatementOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the server is asked to stop; if it does not, the connection is closed. */
  readonly limitMs: number
}

/** How long a cancelled statement may take to stop, before its connection is closed. */
const STOP_MS = 3_000

interface RunningStatement<T> {
  readonly done: Promise<T>
  readonly stop?: (reason: Error) => void
}

/**
 * One connection held well: statements one after another, each with a limit and a signal.
 *
 * | while a statement runs | what is done | what the caller gets |
 * |---|---|---|
 * | it ends or fails | nothing | its answer, or its error |
 * | the signal aborts | CancelRequest until it ends, else the connection is closed | the signal's reason |
 * | its limit passes | the same | ConnectionLostError |
 * | the connection dies | nothing | ConnectionLostError |
 *
 * After all but the first the connection is never lent again: a late cancel would hit the statement of somebody else.
 */
export class Session {
  readonly client: WatchedClient
  readonly label: string
  #spoiled = false
  #last: Promise<unknown> = Promise.resolve()
  #busy = 0

  constructor(client: WatchedClient, label: string) {
    this.client = client
    this.label = label
  }

  /** May be lent again: nothing is under way, no transaction is open, nothing was cancelled. */
  get isClean(): boolean {
    return !this.#spoiled && this.#busy === 0 && this.client.getTransactionStatus() === 'I'
  }

  /** A transaction is open, be it a failed one. */
  get isInTransaction(): boolean {
    return this.client.getTransactionStatus() !== 'I'
  }

  get isBusy(): boolean {
    return this.#busy > 0
  }

  /** Statements without values, by the simple protocol: several travel as one. */
  run(text: string, options: StatementOptions): Promise<Result[]> {
    return this.#inTurn(() => ({ done: this.client.query(text).then(resultsOf) }), options)
  }

  async query<Row extends object>(text: string, values: readonly unknown[], options: StatementOptions): Promise<Row[]> {
    const results =
      values.length === 0
        ? await this.run(text, options)
        : await this.#inTurn(() => ({ done: this.client.query(text, [...values]).then(resultsOf) }), options)
    return (results.at(-1)?.rows ?? []) as Row[]
  }

  /** Statements of which the last is `copy … from stdin`, and its data. Answers the row count of the COPY tag. */
  copy(text: string, chunks: Chunks, options: StatementOptions): Promise<number> {
    return this.#inTurn(() => {
      const copy = startCopy(this.client, text, chunks)
      return { done: copy.rows, stop: copy.fail }
    }, options)
  }

  /** Close the connection at once; the server rolls back. */
  destroy(): void {
    this.#spoiled = true
    this.client.destroy()
  }

  async #inTurn<T>(start: () => RunningStatement<T>, options: StatementOptions): Promise<T> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    this.#busy += 1
    try {
      await before
      return await this.#guard(start, options)
    } finally {
      this.#busy -= 1
      resolve()
    }
  }

  async #guard<T>(start: () => RunningStatement<T>, { signal, limitMs }: StatementOptions): Promise<T> {
    signal?.throwIfAborted()
    using limit = deadline(signal, limitMs, `${this.label}: a statement`)
    const work = start()
    try {
      return await abortable(work.done, limit.signal)
    } catch (error) {
      if (limit.signal.aborted) {
        await this.#stop(work, limit.signal.reason as Error)
        if (signal?.aborted) throw signal.reason
        throw new ConnectionLostError(`${(limit.signal.reason as Error).message}: it was cancelled`, {
          cause: limit.signal.reason,
        })
      }
      const explained = this.#explain(error)
      // Else a failed transaction is taken for none and the connection lent with it.
      if (!this.#spoiled) await abortable(this.client.ready(), limit.signal).catch(() => this.destroy())
      throw explained
    }
  }

  /**
   * Returns when the statement has ended, one way or the other. A cancel that comes before the server has begun is
   * ignored by it, hence again and again.
   */
  async #stop(work: RunningStatement<unknown>, reason: Error): Promise<void> {
    this.#spoiled = true
    work.stop?.(reason)
    const over = new AbortController()
    const ended = work.done.then(
      () => over.abort(),
      () => over.abort(),
    )
    const patience = setTimeout(() => this.destroy(), STOP_MS)
    try {
      while (!over.signal.aborted) {
        await sendCancel(this.client.cancellable, STOP_MS)
        await sleep(100, { signal: over.signal }).catch(() => {})
      }
      await ended
      // So that the rollback is sent, and locks are gone when the caller goes on.
      await this.client.ready()
    } finally {
      clearTimeout(patience)
    }
  }

  #explain(error: unknown): unknown {
    const state = sqlState(error)
    if (state?.startsWith('57P') || isConnectionError(error)) this.#spoiled = true
    if (state === '25006') {
      return new DatabaseError(
        `${this.label}: it is read-only; set DATABASE_URL to the primary server, and to a user who may write`,
        { cause: error },
      )
    }
    if (state === undefined && isConnectionError(error)) {
      return new ConnectionLostError(`${this.label}: the connection was lost (${(error as Error).message})`, {
        cause: error,
      })
    }
    return error
  }
}

function resultsOf(answer: QueryResult | QueryResult[]): Result[] {
  return (Array.isArray(answer) ? answer : [answer]).map(({ rows, rowCount, command, fields }) => ({
    rows: rows as Record<string, unknown>[],
    columns: fields.map(({ name }) => name),
    count: rowCount ?? 0,
    command,
  }))
}
