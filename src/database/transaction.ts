import { DatabaseError } from '../model/errors.ts'
import type { Chunks } from './copy.ts'
import { onlyRow, onlyRowIfAny, type Queryable } from './queryable.ts'
import { quoteLiteral } from './quote.ts'
import type { Result, Session, StatementOptions } from './session.ts'

/** For the rollback, which obeys no signal. */
const ROLLBACK_MS = 10_000

/**
 * One transaction on one connection: `await using transaction = await database.transaction({ signal })`.
 * It rolls back when disposed, unless it was committed; what opens it travels with the first statement.
 */
export class Transaction implements Queryable, AsyncDisposable {
  readonly #session: Session
  readonly #giveBack: (session: Session) => void
  readonly #options: StatementOptions
  #opening: string | undefined
  #savepoints = 0
  #over = false

  constructor(session: Session, opening: string, options: StatementOptions, giveBack: (session: Session) => void) {
    this.#session = session
    this.#opening = opening
    this.#options = options
    this.#giveBack = giveBack
  }

  /** One statement; answers its rows. */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    if (values.length === 0) return ((await this.run(text)).at(-1)?.rows ?? []) as Row[]
    this.#mustBeOpen()
    // Values need the extended protocol, which takes one statement at a time.
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

  /** Several statements without values, sent as one; answers the result of each. */
  async run(text: string): Promise<Result[]> {
    this.#mustBeOpen()
    const opening = this.#takeOpening()
    if (!opening) return this.#session.run(text, this.#options)
    return (await this.#session.run(`${opening};\n${text}`, this.#options)).slice(statementsIn(opening))
  }

  /**
   * Statements of which the last is `copy … from stdin`, and its data. Answers how many rows the server has counted.
   */
  async copy(text: string, chunks: Chunks): Promise<number> {
    this.#mustBeOpen()
    const opening = this.#takeOpening()
    return this.#session.copy(opening ? `${opening};\n${text}` : text, chunks, this.#options)
  }

  /** Wait for a lock that all who know its name share, until the transaction ends. */
  async lock(name: string): Promise<void> {
    await this.run(`select pg_advisory_xact_lock(hashtextextended(${quoteLiteral(`sluice ${name}`)}, 0))`)
  }

  /** A part that can fail alone: rolled back when disposed, unless released. */
  async savepoint(): Promise<Savepoint> {
    this.#savepoints += 1
    const name = `s${this.#savepoints}`
    await this.run(`savepoint ${name}`)
    return new Savepoint((text) => this.run(text), name)
  }

  /**
   * Commit, together with some last statements in the same query; answers their results. Afterwards the connection is
   * given back.
   */
  async commit(last = ''): Promise<Result[]> {
    this.#mustBeOpen()
    const unused = this.#opening !== undefined && last === ''
    const results = unused ? [] : await this.run(last === '' ? 'commit' : `${last}\n;commit`)
    const end = results.at(-1)
    if (!unused && end?.command !== 'COMMIT') {
      throw new DatabaseError(
        `${this.#session.label}: the transaction was rolled back instead of committed, since a statement in it had failed; look for that one's error`,
      )
    }
    this.#end()
    return results.slice(0, -1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return
    try {
      if (this.#session.isBusy) this.#session.destroy()
      else if (this.#session.isInTransaction) await this.#session.run('rollback', { limitMs: ROLLBACK_MS })
    } catch {
      // The error that brought us here says more than this one; the server rolls back when the connection is gone.
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
    if (this.#over) throw new DatabaseError(`${this.#session.label}: the transaction is over; open another one`)
  }

  #end(): void {
    this.#over = true
    this.#giveBack(this.#session)
  }
}

export class Savepoint implements AsyncDisposable {
  readonly #run: (text: string) => Promise<unknown>
  readonly #name: string
  #over = false

  constructor(run: (text: string) => Promise<unknown>, name: string) {
    this.#run = run
    this.#name = name
  }

  /** Keep what was done since. */
  async release(): Promise<void> {
    await this.#run(`release savepoint ${this.#name}`)
    this.#over = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return
    this.#over = true
    try {
      await this.#run(`rollback to savepoint ${this.#name}; release savepoint ${this.#name}`)
    } catch {
      // The connection is gone, or the transaction is over, and with it all that was done since. Whatever comes next
      // says so.
    }
  }
}

/** The opening is ours, without a semicolon in any literal. */
function statementsIn(opening: string): number {
  return opening.split(';').length
}
