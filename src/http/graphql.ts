import { DecodeError, HttpError } from '../model/errors.ts'
import type { PageRequest } from '../model/request.ts'

/** What is sent as JSON: the request's own, or a GraphQL document with it as variables. */
export function jsonBody({ json, graphql }: Pick<PageRequest, 'json' | 'graphql'>): unknown {
  return graphql === undefined ? json : { query: graphql, variables: json ?? {} }
}

/** What a GraphQL answer holds; one with errors fails, since the data beside them has holes. */
export function graphqlData(answer: unknown, { label, status }: { label: string; status: number }): unknown {
  if (typeof answer !== 'object' || answer === null)
    throw new DecodeError(`${label} answered no GraphQL: an object with data was expected`)
  const { data, errors } = answer as { readonly data?: unknown; readonly errors?: unknown }
  if (Array.isArray(errors) && errors.length > 0) {
    throw new HttpError(`${label} answered with errors of GraphQL: ${errors.map(errorText).join('; ')}`, {
      kind: 'graphql',
      status,
      location: label,
    })
  }
  if (data === undefined) throw new DecodeError(`${label} answered no GraphQL: it has no data`)
  return data
}

function errorText(error: unknown): string {
  const { message, path } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly message?: unknown
    readonly path?: unknown
  }
  const at = Array.isArray(path) ? ` (at ${path.join('.')})` : ''
  return typeof message === 'string' ? message + at : `one without a message${at}`
}
