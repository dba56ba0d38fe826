/** The codes of errors: `sluice explain CODE` says what happened and what to do. They are stable. */
export const ERROR_CODES = [
  // The definition, the command line and the environment.
  'USAGE',
  'UNKNOWN_OPTION',
  'FILE_NOT_LOADED',
  'NO_PIPELINE',
  'MISSING_SECRET',
  'THROWN',
  // The API.
  'HTTP_NOT_FOUND',
  'HTTP_STATUS',
  'HTTP_CREDENTIALS',
  'HTTP_UNAVAILABLE',
  'HTTP_CONNECTION',
  'HTTP_NOT_SENT',
  'HTTP_REDIRECT',
  'HTTP_RULE',
  'GRAPHQL',
  'RATE_LIMITED',
  'DECODE',
  'NO_RECORDS',
  'PAGING',
  'POSITION_LOST',
  'JOB',
  'INCOMPLETE',
  // The rows and their table.
  'REJECT',
  'TOO_MANY_REJECTS',
  'TOO_MANY_DELETES',
  'SCHEMA',
  'TABLE_NOT_OWNED',
  'TABLE_KEY',
  'LOAD',
  'SLICE_LOST',
  // The database.
  'DATABASE',
  'DATABASE_DOWN',
  'DATABASE_LOGIN',
  'DATABASE_RIGHTS',
  'DATABASE_FULL',
  'DATABASE_SQL',
  // The end of a run.
  'RUN_FAILED',
  'CANCELLED',
] as const

/** A code that `sluice explain` knows. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Returns the code at the end of an error's text, as `problemText` writes it. A text without one is of `USAGE`. */
export function codeIn(text: string): ErrorCode {
  const code = / \[([A-Z_]+)\]$/.exec(text)?.[1]
  return ERROR_CODES.find((one) => one === code) ?? 'USAGE'
}
