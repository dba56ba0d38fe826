// Delta tokens: the last page of a reading holds the token with which the next run asks for what has changed since.
import { HttpError, PagingError, TokenExpiredError, UsageError } from '../model/errors.ts'
import type { HighWaterMark, Page } from '../model/page.ts'
import type { HttpSource } from '../model/recipe.ts'
import type { ApiResponse, Delta, PageRequest } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { defined } from '../value/defined.ts'
import { validatorsOf } from './if-changed.ts'
import { withParameter } from './paging/parameter.ts'
import { nameOf, valueIn } from './response-value.ts'
import { typeNameOf } from '../value/type-name.ts'

/** What an API answers to a token that it no longer knows: gone. */
const EXPIRED_ON = [410]

/** Returns the first request of a reading from a token on. */
export function requestSince(first: PageRequest, delta: Delta<never>, token: string): PageRequest {
  const { parameter, without = [] } = delta
  if (parameter === undefined) return { ...first, url: token, query: {} }
  const isLeftOut = ([name]: [string, unknown]): boolean => without.includes(name)
  const kept = <Values extends object>(values: Values): Values =>
    // Only members are left out.
    Object.fromEntries(Object.entries(values).filter((entry) => !isLeftOut(entry))) as Values
  const request = {
    ...first,
    query: kept(first.query),
    ...defined({ json: first.json && kept(first.json), form: first.form && kept(first.form) }),
  }
  return withParameter(request, parameter, token)
}

interface FoundToken {
  readonly token?: HighWaterMark
  /** Why there is none. */
  readonly problem?: string
}

/** Returns the token of the last response as the cursor. Without one the cursor stays. `since`: the cursor so far. */
export function tokenOf(
  { delta, ifChanged }: Pick<HttpSource, 'delta' | 'ifChanged'>,
  response: ApiResponse<unknown>,
  since: string | undefined,
): FoundToken {
  if (ifChanged) return defined({ token: validatorsOf(response, since) })
  if (!delta) return {}
  const { at, parameter } = delta
  const value = valueIn(response, at)
  if (value === undefined || value === null || value === '')
    return {
      problem:
        `the last response has no delta token at ${nameOf(at)}. The cursor stays, and the next run reads the same ` +
        'again. Correct `at` of the delta, or read on to the page that has the token',
    }
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
    throw new PagingError(`the delta token at ${nameOf(at)} should be text, but is ${typeNameOf(value)}`)
  const text = String(value)
  if (parameter !== undefined) return { token: { value: text, isToken: true } }
  if (!URL.canParse(text, response.url))
    throw new PagingError(
      `the delta token at ${nameOf(at)} is not a URL. If it is the value of a parameter, name that: ` +
        "{ at: …, parameter: 'token' }",
    )
  return { token: { value: new URL(text, response.url).href, isToken: true } }
}

export type ReadFrom = (slice: SliceRead) => AsyncGenerator<Page, void, undefined>

/**
 * Yields the pages since the slice's token. A token that the API no longer knows is answered by everything, from the
 * start, because nothing says what has changed since. Throws a `TokenExpiredError` for a mirror.
 */
export async function* readSinceToken(
  delta: Delta<never>,
  slice: SliceRead,
  { emit, stream }: Pick<Scope, 'emit' | 'stream'>,
  read: ReadFrom,
): AsyncGenerator<Page, void, undefined> {
  await using pages = read(slice)
  let first: IteratorResult<Page, void>
  try {
    first = await pages.next()
  } catch (error) {
    if (slice.since === undefined || slice.position !== null || !isExpired(error, delta)) throw error
    if (slice.restart === 'slice')
      throw new UsageError(
        'the API no longer knows the delta token, and would return all records again. Without a key the table would ' +
          'have them twice. Give the table a key, or empty it and let `sluice cursor reset` begin anew',
        { cause: error },
      )
    if (slice.isMirror)
      throw new TokenExpiredError(
        'the API no longer knows the delta token, so everything is read again, and the mirror deletes what is gone',
        { cause: error },
      )
    emit({
      type: 'warning',
      message:
        'the API no longer knows the delta token, so everything is read again. ' +
        'Records that were deleted in the meantime are not told',
      ...defined({ stream }),
    })
    const { since: _since, ...fromStart } = slice
    yield* read({ ...fromStart, position: null })
    return
  }
  if (first.done) return
  yield first.value
  yield* pages
}

const isExpired = (error: unknown, { expiredOn = EXPIRED_ON }: Delta<never>): boolean =>
  error instanceof HttpError && expiredOn.includes(error.status)
