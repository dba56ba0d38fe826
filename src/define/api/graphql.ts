// Options of a GraphQL query.
import { UsageError } from '../../model/errors.ts'
import type { GraphqlErrors, PersistedQuery } from '../../model/graphql.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import type { RequestOptions } from './http-options.ts'

/** Options of `.graphql()`. */
export interface GraphqlOptions extends Pick<RequestOptions, 'headers' | 'responseRules'> {
  /**
   * What `errors` beside `data` mean. `'fail'`: the stream fails. `'reject'`: the records at the paths of the errors
   * are rejected with the message, and the others stored. `'keep'`: all are stored as they came, with a warning. An
   * error that belongs to no record fails with `'reject'`, and makes the reading `open` with `'keep'`. A response
   * without `data` always fails. @default 'fail'
   */
  errors?: GraphqlErrors
  /**
   * Names the query instead of sending its text: `true` by the SHA-256 of the text, `{ sha256Hash }` by a given hash,
   * `{ id }` by an id. If the server does not know it, the text is sent. @default the text is sent
   *
   * @example
   * api.graphql<Data>(document, variables, { persisted: true })
   */
  persisted?: PersistedQuery
}

export const GRAPHQL_OPTIONS: OptionNames<GraphqlOptions> = {
  errors: true,
  persisted: true,
  headers: true,
  responseRules: true,
}

/** Throws for an option that is none. */
export function checkGraphql(
  place: string,
  { errors, persisted }: { readonly errors: GraphqlErrors | undefined; readonly persisted: PersistedQuery | undefined },
): void {
  if (errors !== undefined && !['fail', 'reject', 'keep'].includes(errors))
    throw new UsageError(`${place}: errors is 'fail', 'reject' or 'keep', not ${JSON.stringify(errors)}`)
  if (persisted === undefined || persisted === true) return
  rejectUnknownOptions(`${place}: persisted`, persisted, { sha256Hash: true, id: true, as: true })
  const { sha256Hash, id, as } = persisted as { readonly [name in 'sha256Hash' | 'id' | 'as']?: unknown }
  const isHash =
    typeof sha256Hash === 'string' && /^[0-9a-f]{64}$/.test(sha256Hash) && id === undefined && as === undefined
  if (isHash || (isName(id) && sha256Hash === undefined && (as === undefined || isName(as)))) return
  throw new UsageError(
    `${place}: persisted is true, { sha256Hash: '64 hexadecimal digits' } or { id: 'of the query' }, ` +
      `not ${JSON.stringify(persisted)}`,
  )
}

const isName = (value: unknown): boolean => typeof value === 'string' && value !== ''
