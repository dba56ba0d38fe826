// Interruptions inside the database: at a write of the ledger that is counted, the connection is lost, or this write
// and all later ones are refused. That is where a process would have died, and much cheaper than one.
import type { Database } from '../../src/database/database.ts'
import type { Interruption } from './scenario.ts'

/** What a refused write says. */
export const REFUSED = 'the fuse has burnt down'

// A sequence counts also what is rolled back. The pause lets the server notice that it shall end the session.
const INSTALL = `
  create schema changes;
  create table changes.fuses (pipeline text primary key, kind text, at bigint, at_commit boolean);
  create function changes.burn() returns trigger language plpgsql as $$
  declare
    fuse changes.fuses;
    number bigint;
  begin
    select * into fuse from changes.fuses where pipeline = new.pipeline and at_commit = (tg_argv[0] = 'commit');
    if not found then return null; end if;
    number := nextval(('changes.' || fuse.pipeline)::regclass);
    if fuse.kind = 'die' and number >= fuse.at then
      raise exception '${REFUSED}' using errcode = '53100';
    elsif fuse.kind = 'cut' and number = fuse.at then
      perform pg_terminate_backend(pg_backend_pid());
      perform pg_sleep(5);
    end if;
    return null;
  end $$;
  create trigger burn after insert or update on sluice.slices
    for each row execute function changes.burn('statement');
  create constraint trigger burn_at_commit after insert or update on sluice.slices
    deferrable initially deferred for each row execute function changes.burn('commit')`

/** Prepares a database for the interruptions. */
export async function installFuses(database: Database): Promise<void> {
  await using transaction = await database.transaction()
  await transaction.commit(`${INSTALL};`)
}

/** The fuse of one pipeline. */
export class Fuse {
  readonly #database: Database
  readonly #pipeline: string

  constructor(database: Database, pipeline: string) {
    this.#database = database
    this.#pipeline = pipeline
  }

  /** Counts the writes from here on. Interruptions that are not of the database light nothing. */
  async light({ kind, at, isAtCommit }: Interruption): Promise<void> {
    if (kind !== 'die' && kind !== 'cut') return
    await this.#database.query(`create sequence if not exists changes.${this.#pipeline}`)
    await this.#database.query(`alter sequence changes.${this.#pipeline} restart`)
    await this.#database.query(`insert into changes.fuses values ($1, $2, $3, $4)`, [
      this.#pipeline,
      kind,
      at,
      isAtCommit,
    ])
  }

  async putOut(): Promise<void> {
    await this.#database.query(`delete from changes.fuses where pipeline = $1`, [this.#pipeline])
  }
}
