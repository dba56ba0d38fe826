// Tells a child's records from equal records of another parent.
import type { Recipe } from '../../model/recipe.ts'
import type { Given, Query, Sent } from '../../model/request.ts'
import { digest } from '../../value/digest.ts'

/**
 * Returns a hash of the requests that lead to a child's records, without range and page: it is the same in every run.
 * The parent itself may change from run to run, so it is not hashed. A custom source makes no known request, and adds
 * nothing to the hash of its ancestors. Without `ancestors` the source is no child, and the hash is ''.
 */
export function lineageHash(source: Recipe['source'], ancestors: string | undefined): string {
  if (ancestors === undefined) return ''
  if ('read' in source) return ancestors
  const { method, path, query, json, form, headers, graphql } = source.request
  const pathParts = typeof path === 'string' ? path : [path.texts, path.values.map(String)]
  const sent = [source.api.base, method, pathParts, withoutRange(query), withoutRange(json), headers, graphql]
  // Without a form the hash is that of earlier versions, which ledgers hold.
  return digest(form === undefined ? sent : [...sent, withoutRange(form)], ancestors)
}

/** Returns what is sent without a range. A function that fails without a range counts as nothing. */
function withoutRange(given: Given<Query> | Given<Sent> | undefined): unknown {
  if (typeof given !== 'function') return given
  try {
    return given({})
  } catch {
    return undefined
  }
}
