// Errors of rows, tables and the database.
import type { ErrorCode } from '../../model/error-code.ts'
import type { Explanation } from './explanation.ts'

export const DATABASE_ERRORS = {
  REJECT: {
    happened: 'A record cannot be stored. In a run only this record is rejected; `.rows()` stops at it.',
    causes: ['A value does not fit its column.', 'A field of the key is missing.', 'A stage refused the record.'],
    remedies: ['sluice rejects list shows the reasons. Correct the stage or the column, then replay.'],
    example: 'sluice rejects list shop.orders\nsluice rejects replay shop.orders',
  },
  TOO_MANY_REJECTS: {
    happened: 'More records of one reading were rejected than maxRejects allows. The current batch was not stored.',
    causes: ['The key names a field that no record has.', 'A declared column has a type that the values do not fit.'],
    remedies: [
      'The message has the first three reasons. sluice preview shop.orders shows more of them, without a database.',
      'sluice rejects list shows those of the batches before. Those of the batch that failed are not stored.',
    ],
    example: "orders.into('shop.orders', { key: 'id', columns: { total: 'numeric(12,2)' } })",
  },
  TOO_MANY_DELETES: {
    happened:
      'A reading of a table with mirror was complete, and did not bring more of its rows than mostDeletes allows. ' +
      'Nothing was deleted; what was read is stored.',
    causes: [
      'The API returned a part of its list, or an empty one, and called it complete.',
      'A filter, a parameter or the credentials of the stream have changed.',
      'So many records are really gone.',
    ],
    remedies: [
      'The message has the number of rows, and keys of some. Look at what is read: sluice preview shop.orders.',
      'If the records are gone, allow it once: --most-deletes. The run reads everything again, and deletes then. ' +
        'Of a backfill, it is a limit for each window.',
    ],
    example: 'sluice run shop.orders --most-deletes 120',
  },
  SCHEMA: {
    happened: 'The table does not accept the rows: its columns, their types or their names do not fit.',
    causes: [
      'A declared type does not exist, or differs from that of the column.',
      'Two fields would be one column, as createdAt and created_at.',
      'The table is frozen, generated, or too large to be rewritten.',
    ],
    remedies: ['The message has the statement, or the option, that mends it. sluice check shows it before a run.'],
    example:
      "orders.rename('createdAt', 'created')\norders.into('shop.orders', { key: 'id', columns: { notes: false } })",
  },
  TABLE_NOT_OWNED: {
    happened: 'A run would change a table, or replace its rows, and Sluice did not create that table.',
    causes: ['The name of the table is that of another program.', 'The table was made by hand, with other columns.'],
    remedies: [
      'Choose another table.',
      'Or allow it with adopt: true, or make the change yourself: the message has it.',
    ],
    example: "orders.into('shop.orders', { key: 'id', adopt: true })",
  },
  TABLE_KEY: {
    happened: 'The table has no unique index of exactly the key, or lacks a column of it. Writing by key needs it.',
    causes: ['The table was made by hand.', 'The key in the definition has changed.'],
    remedies: ['Run the statement of the message, or give the stream another table.'],
    example: "sluice sql --write 'create unique index on shop.orders (id)'",
  },
  LOAD: {
    happened: 'Rows could not be written, for a reason other than the rows themselves.',
    causes: [
      '`replace` read no records, and the table is not emptied by accident.',
      'A trigger or a rule of the table leaves rows out.',
      'Other sessions hold a lock on the table.',
    ],
    remedies: ['The message names the cause. Nothing of this batch was stored, and the next run continues there.'],
    example: "orders.into('shop.orders', { write: 'replace', allowEmpty: true })",
  },
  SLICE_LOST: {
    happened: 'Another run has taken over what this run was reading. This run wrote nothing any more.',
    causes: ['This process was stopped or slow for longer than its lease.', 'The stream was reset meanwhile.'],
    remedies: ['Nothing: the other run continues after the last commit. sluice status shows it.'],
    example: 'sluice status shop',
  },
  DATABASE: {
    happened: 'The database cannot be used as it is.',
    causes: [
      'It is read-only, as a standby is.',
      'The embedded PostgreSQL could not be started.',
      'The schema sluice was made by a newer version.',
    ],
    remedies: ['The message has the remedy. Set DATABASE_URL to the primary server.'],
    example: 'DATABASE_URL=postgres://sluice@db.example/warehouse sluice check',
  },
  DATABASE_DOWN: {
    happened: 'The database server does not answer, or the connection was lost.',
    causes: ['The server is down or starting.', 'Host or port in DATABASE_URL is wrong.', 'A firewall.'],
    remedies: ['Start the server, or correct DATABASE_URL. Then run again: it continues after the last commit.'],
    example: 'psql "$DATABASE_URL" -c "select 1"',
  },
  DATABASE_LOGIN: {
    happened: 'The database refused the connection: its user, password or name.',
    causes: ['The password is wrong.', 'The database or the user does not exist.', 'pg_hba.conf does not allow it.'],
    remedies: ['Correct DATABASE_URL. Characters such as @ and # in a password are written as %40 and %23.'],
    example: 'DATABASE_URL=postgres://sluice:p%40ss@db.example:5432/warehouse',
  },
  DATABASE_RIGHTS: {
    happened: 'The user of DATABASE_URL lacks a right in the database.',
    causes: ['The user may not create the schema sluice, or that of the table.', 'The table belongs to another user.'],
    remedies: [
      'Let an administrator run the command of the message once: it grants the rights in both schemas.',
      'docs/GRANTS.md has all rights.',
    ],
    example: 'sluice migrate --database postgres://admin@db.example/warehouse --grant loader --apply --schema shop',
  },
  DATABASE_FULL: {
    happened: 'The database server has no room: disk, memory or connections.',
    causes: ['The disk is full.', 'max_connections is reached.'],
    remedies: ['Make room, then run again: it continues after the last commit.'],
    example: 'sluice sql "select pg_size_pretty(pg_database_size(current_database()))"',
  },
  DATABASE_SQL: {
    happened: 'The database refused a statement. The message has its SQLSTATE.',
    causes: [
      'A constraint or a trigger of the table.',
      'The table was changed during the run.',
      'A lock or a timeout.',
    ],
    remedies: ['Look up what the message names, correct it, then run again. --verbose shows the statement.'],
    example: 'sluice run shop.orders --verbose',
  },
} as const satisfies Partial<Record<ErrorCode, Explanation>>
