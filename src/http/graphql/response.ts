// The body of a GraphQL response: its data, and the errors beside it.
import { DecodeError, HttpError } from '../../model/errors.ts'
import type { GraphqlError, GraphqlErrors } from '../../model/graphql.ts'

export interface GraphqlOptions {
  readonly label: string
  readonly status: number
  /** What errors beside data mean. @default 'fail' */
  readonly errors?: GraphqlErrors | undefined
}

export interface GraphqlResult {
  readonly data: unknown
  /** Errors beside the data. Only if the request accepts them. */
  readonly errors?: readonly GraphqlError[]
}

/**
 * Returns the `data` of a GraphQL response. Throws `HttpError` if it lists errors, because its data is then incomplete,
 * unless the request accepts errors beside data.
 */
export function graphqlResult(response: unknown, options: GraphqlOptions): GraphqlResult {
  const { label, errors: mode = 'fail' } = options
  if (typeof response !== 'object' || response === null)
    throw new DecodeError(`${label} answered without GraphQL: the body is not an object`)
  const { data } = response as { readonly data?: unknown }
  const errors = errorsOf(response)
  if (errors.length > 0) {
    if (mode === 'fail' || data === undefined || data === null) throw graphqlError(errors, options)
    return { data, errors }
  }
  if (data === undefined) throw new DecodeError(`${label} answered without GraphQL: the body has no data`)
  return { data }
}

/** Returns the errors that a body lists, none if it is no GraphQL. */
export function errorsOf(body: unknown): GraphqlError[] {
  const { errors } = (typeof body === 'object' && body !== null ? body : {}) as { readonly errors?: unknown }
  return Array.isArray(errors) ? errors.map(errorOf) : []
}

/** Returns the error of a response that fails, with all messages. */
export const graphqlError = (
  errors: readonly GraphqlError[],
  { label, status }: Pick<GraphqlOptions, 'label' | 'status'>,
): HttpError =>
  new HttpError(`${label} answered with GraphQL errors: ${errors.map(errorText).join('; ')}`, {
    kind: 'graphql',
    status,
    location: label,
  })

export const errorText = ({ message, path }: GraphqlError): string =>
  message + (path.length > 0 ? ` (at ${path.join('.')})` : '')

function errorOf(error: unknown): GraphqlError {
  const { message, path, extensions, type } = (typeof error === 'object' && error !== null ? error : {}) as Readonly<
    Record<'message' | 'path' | 'extensions' | 'type', unknown>
  >
  const { code = type } = (typeof extensions === 'object' && extensions !== null ? extensions : {}) as {
    readonly code?: unknown
  }
  return {
    message: typeof message === 'string' ? message : 'an error without a message',
    path: Array.isArray(path) ? path.filter((step) => typeof step === 'string' || typeof step === 'number') : [],
    code: typeof code === 'string' ? code : '',
  }
}
