import { grantCommand } from '../../database/creation-right.ts'
import type { Database } from '../../database/database.ts'
import { sqlState } from '../../database/errors.ts'
import { DatabaseError } from '../../model/errors.ts'
import { QUEUE_SCHEMA, WorkQueue, type QueueOptions } from '../../queue/queue.ts'
import { messageOf } from '../../value/error.ts'

/** Opens the queue of work. If a right in its schema is missing, throws an error that says how to grant it. */
export async function openWorkQueue(
  database: Database,
  {
    schemas,
    ...options
  }: QueueOptions & { /** Schemas of the pipelines' tables. */ readonly schemas: readonly string[] },
): Promise<WorkQueue> {
  try {
    return await WorkQueue.open(database, options)
  } catch (cause) {
    if (sqlState(cause) !== '42501') throw cause
    const { user, has } = await database.one<{ user: string; has: boolean }>(
      `select current_user as "user", to_regnamespace('${QUEUE_SCHEMA}') is not null as has`,
    )
    const problem = has
      ? `the user ${user} lacks a right in the schema ${QUEUE_SCHEMA}, or may not update it to this version of pg-boss`
      : `the schema ${QUEUE_SCHEMA} of the workers' jobs does not exist, and the user ${user} may not create it`
    throw new DatabaseError(
      `${database.label}: ${problem} (${messageOf(cause)}). Let an administrator run: ${grantCommand(user, schemas)}`,
      { cause, explanation: 'DATABASE_RIGHTS' },
    )
  }
}
