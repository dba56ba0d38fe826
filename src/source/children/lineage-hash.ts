// Tells a child's records from equal records of another parent.
import { UsageError } from '../../model/errors.ts'
import type { FileParts } from '../../model/file-part.ts'
import type { HttpSource, Recipe } from '../../model/recipe.ts'
import type { Given, Query, Sent } from '../../model/request.ts'
import { digest } from '../../value/digest.ts'
import { endpointOf } from '../first-request.ts'

/**
 * Returns a hash of the requests that lead to a child's records, without range and page: it is the same in every run.
 * The parent itself may change from run to run, so it is not hashed. A custom source makes no known request, and adds
 * nothing to the hash of its ancestors. Without `ancestors` the source is no child, and the hash is ''.
 */
export function lineageHash(source: Recipe['source'], ancestors: string | undefined): string {
  if (ancestors === undefined) return ''
  if ('read' in source) return ancestors
  const { method, path, query, json, form, files, headers, graphql } = source.request
  const pathParts = typeof path === 'string' ? path : [path.texts, path.values.map(String)]
  const sent = [source.api.base, method, pathParts, withoutRange(query), withoutRange(json), headers, graphql]
  // Without a form the hash is that of earlier versions, which ledgers hold.
  if (form === undefined) return digest(sent, ancestors)
  return digest([...sent, withoutRange(form), ...(files ? [filesOf(files, source)] : [])], ancestors)
}

/** The content that a function returns is not known, so it cannot tell the children of two parents apart. */
function filesOf(files: FileParts, { request, api }: Pick<HttpSource, 'request' | 'api'>): FileParts {
  for (const [field, parts] of Object.entries(files))
    if ([parts].flat().some(({ content }) => typeof content === 'function'))
      throw new UsageError(
        `${request.method} ${api.base}${endpointOf(request)}: multipart.${field}: beneath .flatMap() the content of ` +
          'a file is text or bytes, not a function. The function of .flatMap() may be async and read the file',
      )
  return files
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
