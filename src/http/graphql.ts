import { DecodeError, HttpError } from '../model/errors.ts'
import type { PageRequest } from '../model/request.ts'

/** Returns the JSON body of a request. For a GraphQL document, `json` holds its variables. */
export function jsonBody({ json, graphql }: Pick<PageRequest, 'json' | 'graphql'>): unknown {
  return graphql === undefined ? json : { query: graphql, variables: json ?? {} }
}

/**
 * Returns the `data` of a GraphQL response. Throws `HttpError` if it lists errors, because its data is then incomplete.
 */
export function graphqlData(
  response: unknown,
  { label, status }: { readonly label: string; readonly status: number },
): unknown {
  if (typeof response !== 'object' || response === null)
    throw new DecodeError(`${label} answered without GraphQL: the body is not an object`)
  const { data, errors } = response as { readonly data?: unknown; readonly errors?: unknown }
  if (Array.isArray(errors) && errors.length > 0)
    throw new HttpError(`${label} answered with GraphQL errors: ${errors.map(errorText).join('; ')}`, {
      kind: 'graphql',
      status,
      location: label,
    })
  if (data === undefined) throw new DecodeError(`${label} answered without GraphQL: the body has no data`)
  return data
}

function errorText(error: unknown): string {
  const { message, path } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly message?: unknown
    readonly path?: unknown
  }
  const at = Array.isArray(path) ? ` (at ${path.join('.')})` : ''
  return typeof message === 'string' ? message + at : `an error without a message${at}`
}
