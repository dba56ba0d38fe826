// What becomes of a response: a page, an empty page by a rule, another try, or a failure.
import { HttpError } from '../model/errors.ts'
import type { GraphqlError } from '../model/graphql.ts'
import type { DecodedResponse, Secrets } from '../model/scope.ts'
import { defined } from '../value/defined.ts'
import { wholeBody } from './body/decode.ts'
import type { CostBudget } from './graphql/cost-budget.ts'
import { isThrottled, limitsInBody, throttleOf, type Throttle } from './graphql/cost.ts'
import { REFUSED_QUERY } from './graphql/persisted.ts'
import { errorsOf, errorText, graphqlResult } from './graphql/response.ts'
import type { Interpretation } from './interpret.ts'
import type { PreparedRequest } from './prepare-request.ts'
import { credentialsProblem, retryError, statusError, type RetryErrorOptions } from './request-error.ts'
import { isEmptied, ruleError, ruleWait } from './rules/apply-rule.ts'
import { isSuccess } from './rules/response-rules.ts'
import { saidText } from './said-text.ts'
import { tlsExpectedText } from './scheme-problem.ts'
import type { SentResponse, StreamSendOptions } from './sender.ts'

/** A response to one try, and what it means. */
export type Response = Interpretation &
  Pick<SentResponse, 'isOwn' | 'credentials' | 'rest'> & { readonly bytes: number }

export type ReadResponse = Pick<DecodedResponse, 'body' | 'rule' | 'faults' | 'found' | 'errors'>

export interface ReadingContext {
  /** Points of GraphQL queries. */
  readonly costs: CostBudget
  readonly secrets: Secrets
  readonly now: () => Date
  /** The origin of the API. */
  readonly origin: string
}

/** Returns the body of a page, or the rule that makes it an empty one. Throws if the response is no page. */
export function readResponse(
  { label, path, document }: PreparedRequest,
  { seen, rule, faults, found, error, isOwn }: Response,
  { acceptFaults = false, graphqlErrors, authorization, rules, stream, budget }: StreamSendOptions,
  { costs, secrets, now, origin }: ReadingContext,
): ReadResponse {
  const { status, headers, body } = seen
  const isGraphql = document !== undefined
  const asked = { label, now: now(), origin, path, reach: isOwn ? rule?.reach : 'path' } as const
  const retryAfterMs = rule && ruleWait(rule, seen, asked.now)
  // The wait of a rule holds for other requests too, as that of a header does.
  if (rules.mayRetry(status, headers))
    budget.observe(status, headers, { path, reach: asked.reach, waitMs: retryAfterMs, request: label, stream })
  if (isEmptied(rule)) return { body: undefined, rule }
  // A limit may be told by a status such as 400, too. A rule of the definition decides before.
  const isLimited = isGraphql && (!rule || rule === REFUSED_QUERY) && isThrottled(body, headers)
  if (rule && !isLimited) throw ruleError(rule, seen, { ...asked, retryAfterMs, hide: secrets.hide })
  if (!isSuccess(status) && !isLimited)
    throw statusError(status, headers, {
      ...asked,
      credentialsProblem: credentialsProblem(status, authorization),
      said: tlsExpectedText(origin, seen) || saidText(seen, secrets.hide),
    })
  if (error) throw error
  const stated = isGraphql ? limitsInBody(body, headers, asked.now) : undefined
  if (stated) budget.observe(status, headers, { path, reach: asked.reach, request: label, stream, body: stated })
  const throttle = isGraphql ? throttleOf(body) : undefined
  if (throttle && isGraphql) costs.observe(document, throttle)
  if (isLimited)
    throw throttledError(errorsOf(body), throttle, { ...asked, status, headers, retryAfterMs: stated?.waitMs })
  if (!acceptFaults) wholeBody({ body, ...defined({ faults }) })
  // Status 204 has no body.
  if (!isGraphql || body === undefined) return { body, ...defined({ faults, found }) }
  // Only a reader of pages can reject single records.
  const errors = graphqlErrors === 'reject' && !acceptFaults ? 'fail' : graphqlErrors
  const result = graphqlResult(body, { label, status, errors })
  return { body: result.data, ...defined({ faults, found, errors: result.errors }) }
}

/** Returns the error of a query that was refused for its cost: it waits, unless the API never admits that much. */
function throttledError(
  errors: readonly GraphqlError[],
  throttle: Throttle | undefined,
  asked: RetryErrorOptions,
): Error {
  const { label, status } = asked
  if (throttle && throttle.cost > throttle.maximum)
    return new HttpError(
      `${label}: the query costs ${throttle.cost} points, and the API admits ${throttle.maximum} at most. ` +
        'Ask for fewer records or fields, as in first: 50',
      { kind: 'graphql', status, location: label },
    )
  return retryError(`${label} answered ${errors.map(errorText).join('; ')}`, asked)
}
