import { DatabaseError } from '../model/errors.ts'
import type { Chunks } from './copy.ts'
import { onlyRow, onlyRowIfAny, type Queryable } from './queryable.ts'
import { quoteLiteral } from './quote.ts'
import type { Result, Session, StatementOptions } from './connection/session.ts'

/** Time limit of the rollback, which obeys no signal. */
const ROLLBACK_MS = 10_000

/**
 * One transaction on one connection. Disposing it rolls it back, unless it was committed. The statements that open it
 * are sent with the first statement.
 *
 * @example
 * await using transaction = await database.transaction({ signal })
 */
export class Transaction implements Queryable, AsyncDisposable {
  readonly #session: Session
  readonly #release: (session: Session) => void
  readonly #options: StatementOptions
  #opening: string | undefined
  #savepoints = 0
  #hasEnded = false

  constructor(session: Session, opening: string, options: StatementOptions, release: (session: Session) => void) {
    this.#session = session
    this.#opening = opening
    this.#options = options
    this.#release = release
  }

  /** Runs one statement, and returns its rows. */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    if (values.length === 0) return ((await this.run(text)).at(-1)?.rows ?? []) as Row[]
    this.#mustBeOpen()
    // Values need the extended protocol, which accepts one statement at a time.
    const opening = this.#takeOpening()
    if (opening) await this.#session.run(opening, this.#options)
    return this.#session.query<Row>(text, values, this.#options)
  }

  /** Returns the row of a statement that has exactly one. Throws `DatabaseError` for any other number. */
  async one<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row> {
    return onlyRow(await this.query<Row>(text, values), { label: this.#session.label, text })
  }

  /** Returns the row of a statement, or undefined if it has none. Throws `DatabaseError` for several rows. */
  async maybeOne<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row | undefined> {
    return onlyRowIfAny(await this.query<Row>(text, values), { label: this.#session.label, text })
  }

  /** Runs statements without values, sent together, and returns the result of each. */
  async run(text: string): Promise<Result[]> {
    this.#mustBeOpen()
    const opening = this.#takeOpening()
    if (!opening) return this.#session.run(text, this.#options)
    return (await this.#session.run(`${opening};\n${text}`, this.#options)).slice(statementsIn(opening))
  }

  /** As `run`, but of several columns with one name each keeps its value, and gets a number: `count`, `count_2`. */
  async runNumbered(text: string): Promise<Result[]> {
    this.#mustBeOpen()
    const opening = this.#takeOpening()
    if (opening) await this.#session.run(opening, this.#options)
    return this.#session.runNumbered(text, this.#options)
  }

  /**
   * Runs statements of which the last is `copy … from stdin`, with its data. Returns the number of rows copied.
   */
  async copy(text: string, chunks: Chunks): Promise<number> {
    this.#mustBeOpen()
    const opening = this.#takeOpening()
    return this.#session.copy(opening ? `${opening};\n${text}` : text, chunks, this.#options)
  }

  /** Waits for an advisory lock with this name, and holds it until the transaction ends. */
  async lock(name: string): Promise<void> {
    // PostgreSQL refreshes its catalog caches when a table is locked, not after an advisory lock. Without the second
    // statement, a schema that another transaction has just made could still look missing.
    await this.run(`
      select pg_advisory_xact_lock(hashtextextended(${quoteLiteral(`sluice ${name}`)}, 0));
      select from pg_namespace limit 0`)
  }

  /** Opens a savepoint. Disposing it rolls back to it, unless it was released. */
  async savepoint(): Promise<Savepoint> {
    this.#savepoints += 1
    const name = `s${this.#savepoints}`
    await this.run(`savepoint ${name}`)
    return new Savepoint((text) => this.run(text), name)
  }

  /**
   * Commits, after some last statements in the same query, and returns their results. Then releases the connection.
   */
  async commit(last = ''): Promise<Result[]> {
    this.#mustBeOpen()
    const unused = this.#opening !== undefined && last === ''
    const results = unused ? [] : await this.run(last === '' ? 'commit' : `${last}\n;commit`)
    const end = results.at(-1)
    if (!unused && end?.command !== 'COMMIT') {
      throw new DatabaseError(
        `${this.#session.label}: the transaction was rolled back instead of committed, because a statement in it ` +
          'had failed; look at the error of that statement',
      )
    }
    this.#end()
    return results.slice(0, -1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return
    try {
      if (this.#session.isBusy) this.#session.destroy()
      else if (this.#session.isInTransaction) await this.#session.run('rollback', { limitMs: ROLLBACK_MS })
    } catch {
      // The error that led here matters more. The server rolls back when the connection is closed.
      this.#session.destroy()
    } finally {
      this.#end()
    }
  }

  #takeOpening(): string | undefined {
    const opening = this.#opening
    this.#opening = undefined
    return opening
  }

  #mustBeOpen(): void {
    if (this.#hasEnded) throw new DatabaseError(`${this.#session.label}: the transaction has ended; open another one`)
  }

  #end(): void {
    this.#hasEnded = true
    this.#release(this.#session)
  }
}

export class Savepoint implements AsyncDisposable {
  readonly #run: (text: string) => Promise<unknown>
  readonly #name: string
  #hasEnded = false

  constructor(run: (text: string) => Promise<unknown>, name: string) {
    this.#run = run
    this.#name = name
  }

  /** Keeps the changes since the savepoint. */
  async release(): Promise<void> {
    await this.#run(`release savepoint ${this.#name}`)
    this.#hasEnded = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    try {
      await this.#run(`rollback to savepoint ${this.#name}; release savepoint ${this.#name}`)
    } catch {
      // The connection is lost or the transaction has ended, and the changes with it. The next statement throws.
    }
  }
}

/** Counts the statements of an opening, which has no semicolon in a literal. */
function statementsIn(opening: string): number {
  return opening.split(';').length
}
