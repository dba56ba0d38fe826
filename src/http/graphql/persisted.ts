// Queries that the server knows by a hash or an id, so that their text need not be sent.
import { createHash } from 'node:crypto'
import type { PersistedQuery } from '../../model/graphql.ts'
import type { PageRequest } from '../../model/request.ts'
import type { RuleData } from '../../model/response-rule.ts'
import { errorsOf } from './response.ts'

/** `named` sends the hash or the id, `both` also the text, so that the server learns it, and `text` only the text. */
export type QueryForm = 'named' | 'both' | 'text'

/** Returns the JSON body of a request. For a GraphQL document, `json` holds its variables. */
export function jsonBody(
  { json, graphql }: Pick<PageRequest, 'json' | 'graphql'>,
  persisted?: PersistedQuery,
  form: QueryForm = 'named',
): unknown {
  if (graphql === undefined) return json
  const variables = json ?? {}
  if (persisted === undefined || form === 'text') return { query: graphql, variables }
  const text = form === 'both' ? { query: graphql } : {}
  if (persisted !== true && 'id' in persisted)
    return { ...text, [persisted.as ?? 'documentId']: persisted.id, variables }
  const sha256Hash = persisted === true ? sha256(graphql) : persisted.sha256Hash
  return { ...text, variables, extensions: { persistedQuery: { version: 1, sha256Hash } } }
}

/**
 * Lets the client see the body of a failure that may say so. It comes before the rules of the definition: they judge
 * the response to the text.
 */
export const UNKNOWN_QUERY: RuleData = Object.freeze({
  status: '4xx' as const,
  body: { 'errors.message': { pattern: 'persisted ?query', flags: 'i' } },
  action: 'fail' as const,
  message: 'errors.message',
})

/** Many servers refuse a query by a status, and say why in the body. It comes after the rules of the definition. */
export const REFUSED_QUERY: RuleData = Object.freeze({
  status: [400, 404, 405, 413, 415, 422],
  body: { 'errors.message': { pattern: '.', flags: '' } },
  action: 'fail' as const,
  message: 'errors.message',
})

/** Returns the form to send instead, if a server answered that it does not know a query, or none by name. */
export function formInstead(body: unknown): QueryForm | undefined {
  for (const { message, code } of errorsOf(body)) {
    if (code === 'PERSISTED_QUERY_NOT_FOUND' || message === 'PersistedQueryNotFound') return 'both'
    if (code === 'PERSISTED_QUERY_NOT_SUPPORTED' || message === 'PersistedQueryNotSupported') return 'text'
  }
  return undefined
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
