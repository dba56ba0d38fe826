import { quoteIdentifier } from '../database/quote.ts'

export interface GrantOptions {
  /** The role that runs pipelines. */
  readonly user: string
  readonly database: string
  /** Schemas of the pipelines' tables; they are created if they do not exist. */
  readonly schemas: readonly string[]
}

/**
 * Returns the statements that let a role run pipelines that may not create schemas: the ledger in schema `sluice`,
 * which also holds the shadow tables of `replace`, temporary tables, and the schemas of its tables. docs/GRANTS.md
 * explains them.
 */
export function grantStatements({ user, database, schemas }: GrantOptions): string[] {
  const role = quoteIdentifier(user)
  const onTables = 'select, insert, update, delete'
  return [
    `grant connect, temporary on database ${quoteIdentifier(database)} to ${role}`,
    `grant usage, create on schema sluice to ${role}`,
    `grant ${onTables} on all tables in schema sluice to ${role}`,
    `grant usage on all sequences in schema sluice to ${role}`,
    `grant execute on all functions in schema sluice to ${role}`,
    // For what later migrations create.
    `alter default privileges in schema sluice grant ${onTables} on tables to ${role}`,
    `alter default privileges in schema sluice grant usage on sequences to ${role}`,
    ...grantsOnJobs(role, onTables),
    ...schemas
      .map(quoteIdentifier)
      .flatMap((schema) => [
        `create schema if not exists ${schema}`,
        `grant usage, create on schema ${schema} to ${role}`,
        `grant ${onTables} on all tables in schema ${schema} to ${role}`,
      ]),
  ]
}

/** The schema of pg-boss, which wakes workers. `sluice migrate` creates it. */
const grantsOnJobs = (role: string, onTables: string): string[] => [
  'create schema if not exists sluice_jobs',
  `grant usage on schema sluice_jobs to ${role}`,
  `grant ${onTables} on all tables in schema sluice_jobs to ${role}`,
  `grant usage on all sequences in schema sluice_jobs to ${role}`,
  `grant execute on all functions in schema sluice_jobs to ${role}`,
  `alter default privileges in schema sluice_jobs grant ${onTables} on tables to ${role}`,
  `alter default privileges in schema sluice_jobs grant usage on sequences to ${role}`,
]
