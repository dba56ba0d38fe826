import type { QueryArrayResult, QueryResult } from 'pg'
import { abortable } from '../../flow/signals/abortable.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { DatabaseError } from '../../model/errors.ts'
import { sendCancel } from './cancel.ts'
import type { WatchedClient } from './client.ts'
import { startCopy, type Chunks } from '../copy.ts'
import { ConnectionLostError, isConnectionError, sqlState } from '../errors.ts'

/** Result of one statement. */
export interface Result<Row extends object = Record<string, unknown>> {
  readonly rows: Row[]
  /** Column names in order, duplicates included; `rows` keeps only the last of equal names. */
  readonly columns: readonly string[]
  /** Rows that the statement read or wrote; 0 for a statement without a count. */
  readonly count: number
  /** Command tag of the server, such as `INSERT` or `COMMIT`. */
  readonly command: string
}

export interface StatementOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the statement is cancelled; if it does not stop, the connection is closed. */
  readonly limitMs: number
}

/** If a cancelled statement runs longer than this, its connection is closed. */
const STOP_MS = 3_000

interface RunningStatement<T> {
  readonly done: Promise<T>
  readonly stop?: (reason: Error) => void
}

/**
 * Runs statements one after another on one connection, each with a limit and a signal.
 *
 * | while a statement runs | action | the caller gets |
 * |---|---|---|
 * | it ends or fails | none | its result or its error |
 * | the signal aborts | CancelRequest until it ends; otherwise the connection is closed | the signal's reason |
 * | its limit passes | the same | ConnectionLostError |
 * | the connection is lost | none | ConnectionLostError |
 *
 * After all but the first, the connection is not used again: a late cancel would stop another caller's statement.
 */
export class Session {
  readonly client: WatchedClient
  readonly label: string
  #isSpoiled = false
  #previous: Promise<unknown> = Promise.resolve()
  #running = 0

  constructor(client: WatchedClient, label: string) {
    this.client = client
    this.label = label
  }

  /** The connection can be used again: no statement runs, no transaction is open, nothing was cancelled. */
  get isClean(): boolean {
    return !this.#isSpoiled && this.#running === 0 && this.client.getTransactionStatus() === 'I'
  }

  /** A transaction is open, even if it has failed. */
  get isInTransaction(): boolean {
    return this.client.getTransactionStatus() !== 'I'
  }

  get isBusy(): boolean {
    return this.#running > 0
  }

  /** Runs statements without values, sent together by the simple protocol. */
  run(text: string, options: StatementOptions): Promise<Result[]> {
    return this.#inTurn(() => ({ done: this.client.query(text).then(resultsOf) }), options)
  }

  /** As `run`, but of several columns with one name each keeps its value, and gets a number: `count`, `count_2`. */
  runNumbered(text: string, options: StatementOptions): Promise<Result[]> {
    return this.#inTurn(
      () => ({ done: this.client.query<unknown[]>({ text, rowMode: 'array' }).then(numberedResultsOf) }),
      options,
    )
  }

  /** Runs one statement and returns its rows. */
  async query<Row extends object>(text: string, values: readonly unknown[], options: StatementOptions): Promise<Row[]> {
    const results =
      values.length === 0
        ? await this.run(text, options)
        : await this.#inTurn(() => ({ done: this.client.query(text, [...values]).then(resultsOf) }), options)
    return (results.at(-1)?.rows ?? []) as Row[]
  }

  /** Runs statements of which the last is `copy … from stdin`, with its data. Returns the row count of the COPY tag. */
  copy(text: string, chunks: Chunks, options: StatementOptions): Promise<number> {
    return this.#inTurn(() => {
      const copy = startCopy(this.client, text, chunks)
      return { done: copy.rows, stop: copy.fail }
    }, options)
  }

  /** Closes the connection at once. The server rolls back. */
  destroy(): void {
    this.#isSpoiled = true
    this.client.destroy()
  }

  async #inTurn<T>(start: () => RunningStatement<T>, options: StatementOptions): Promise<T> {
    const before = this.#previous
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#previous = promise
    this.#running += 1
    try {
      await before
      return await this.#guard(start, options)
    } finally {
      this.#running -= 1
      resolve()
    }
  }

  async #guard<T>(start: () => RunningStatement<T>, { signal, limitMs }: StatementOptions): Promise<T> {
    signal?.throwIfAborted()
    using limit = deadline(signal, limitMs, `${this.label}: a statement`)
    const statement = start()
    try {
      return await abortable(statement.done, limit.signal)
    } catch (error) {
      if (limit.signal.aborted) {
        await this.#stop(statement, limit.signal.reason as Error)
        if (signal?.aborted) throw signal.reason
        throw new ConnectionLostError(`${(limit.signal.reason as Error).message}: it was cancelled`, {
          cause: limit.signal.reason,
        })
      }
      const explained = this.#explain(error)
      // Otherwise a failed transaction looks like none, and the connection would be used again with it.
      if (!this.#isSpoiled) await abortable(this.client.ready(), limit.signal).catch(() => this.destroy())
      throw explained
    }
  }

  /**
   * Cancels a statement and waits until it has ended. Repeats the cancel, because the server ignores one that arrives
   * before the statement has started.
   */
  async #stop(statement: RunningStatement<unknown>, reason: Error): Promise<void> {
    this.#isSpoiled = true
    statement.stop?.(reason)
    const over = new AbortController()
    const ended = statement.done.then(
      () => over.abort(),
      () => over.abort(),
    )
    const timer = setTimeout(() => this.destroy(), STOP_MS)
    try {
      while (!over.signal.aborted) {
        await sendCancel(this.client.cancellable, STOP_MS)
        await sleep(100, { signal: over.signal }).catch(() => {})
      }
      await ended
      // The rollback has then been sent, and its locks are released when the caller continues.
      await this.client.ready()
    } finally {
      clearTimeout(timer)
    }
  }

  #explain(error: unknown): unknown {
    const state = sqlState(error)
    if (state?.startsWith('57P') || isConnectionError(error)) this.#isSpoiled = true
    if (state === '25006') {
      return new DatabaseError(
        `${this.label}: it is read-only; set DATABASE_URL to the primary server, and to a user with write permission`,
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

function resultsOf(result: QueryResult | QueryResult[]): Result[] {
  return (Array.isArray(result) ? result : [result]).map(({ rows, rowCount, command, fields }) => ({
    rows: rows as Record<string, unknown>[],
    columns: fields.map(({ name }) => name),
    count: rowCount ?? 0,
    command,
  }))
}

function numberedResultsOf(result: QueryArrayResult<unknown[]> | QueryArrayResult<unknown[]>[]): Result[] {
  return [result].flat().map(({ rows, rowCount, command, fields }) => {
    const columns = numbered(fields.map(({ name }) => name))
    return {
      rows: rows.map((row) => Object.fromEntries(row.map((value, index) => [columns[index] ?? '', value]))),
      columns,
      count: rowCount ?? 0,
      command,
    }
  })
}

/** Returns names of which no two are equal. */
function numbered(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let own = name
    for (let number = 2; taken.has(own) || (own !== name && names.includes(own)); number += 1) own = `${name}_${number}`
    taken.add(own)
    return own
  })
}
