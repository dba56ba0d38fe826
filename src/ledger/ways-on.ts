import type { Database } from '../database/database.ts'
import { quoteLiteral } from '../database/quote.ts'
import { storableText } from '../value/text.ts'
import type { StreamName } from './stream-name.ts'

export interface StreamDefinition extends StreamName {
  /** Hash of what decides which records are read. */
  readonly definition: string
}

/** Returns the endpoints of a stream whose responses have led to a next page in an earlier reading. */
export async function readWaysOn(
  database: Database,
  { pipeline, stream, definition }: StreamDefinition,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [row] = await database.query<{ endpoints: string[] }>(
    'select endpoints from sluice.ways_on where (pipeline, stream, definition) = ($1, $2, $3)',
    [pipeline, stream, definition],
    { signal },
  )
  return row?.endpoints ?? []
}

/** Returns the statement that adds endpoints to those of a stream. Endpoints of another definition are forgotten. */
export function rememberWaysOnSql(
  { pipeline, stream, definition }: StreamDefinition,
  endpoints: readonly string[],
): string {
  const names = [pipeline, stream, definition].map(quoteLiteral).join(', ')
  const list = endpoints.map((endpoint) => quoteLiteral(storableText(endpoint))).join(', ')
  return `select sluice.remember_ways_on(${names}, array[${list}]::text[])`
}
