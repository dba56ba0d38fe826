import type { Recipe } from '../../model/recipe.ts'
import type { Given, Query, Sent } from '../../model/request.ts'
import { digest } from '../../value/digest.ts'

/**
 * What tells a child's records from equal ones of another parent, the same in every run: the requests that lead to
 * them, without the range that is asked for and without the page. The parent itself would not do, since it changes. A
 * source of one's own makes no request that is known here, so it is told apart only by those above it: its records
 * should say themselves what they hang from. `above` is undefined for what is no child.
 */
export function lineageHash(source: Recipe['source'], above: string | undefined): string {
  if (above === undefined) return ''
  if ('read' in source) return above
  const {
    api,
    request: { method, path, query, json, headers, graphql },
  } = source
  return digest(
    [
      api.base,
      method,
      typeof path === 'string' ? path : [path.texts, path.values.map(String)],
      withoutRange(query),
      withoutRange(json),
      headers,
      graphql,
    ],
    above,
  )
}

/**
 * What is sent, with bounds as they were declared. A function that cannot do without a range says nothing that is the
 * same in every run.
 */
function withoutRange(given: Given<Query> | Given<Sent> | undefined): unknown {
  if (typeof given !== 'function') return given
  try {
    return given({})
  } catch {
    return undefined
  }
}
