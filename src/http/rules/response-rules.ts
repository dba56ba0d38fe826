import { DecodeError } from '../../model/errors.ts'
import type { ApiResponse, InResponse } from '../../model/request.ts'
import {
  ruleText,
  type Pattern,
  type RuleData,
  type RuleResponse,
  type StatusMatch,
} from '../../model/response-rule.ts'
import { messageOf } from '../../value/error.ts'

type Headers = ApiResponse<unknown>['headers']

/** The part of a response's body that the rules need: all of it as for a page, its beginning, or none. */
export type NeededBody = 'page' | 'beginning' | 'none'

/** Rules in the order in which they are tried. The first one that fits decides. */
export class ResponseRules {
  readonly #rules: readonly RuleData[]

  constructor(rules: readonly RuleData[]) {
    this.#rules = rules
  }

  /** True if a rule decides about a redirect, by its status and its headers: then it is not followed. */
  decidesRedirect(status: number, headers: Headers): boolean {
    return this.#rules.some(
      (rule) => rule.status !== undefined && isDecidedByHead(rule) && fitsHead(rule, status, headers),
    )
  }

  /** True if a rule may try the request again, and so decides how far a wait reaches. */
  mayRetry(status: number, headers: Headers): boolean {
    return this.#candidates(status, headers).some(({ action }) => action === 'retry')
  }

  /** True if a rule may read values of the body, so that the body is needed as a whole. */
  readsValues(status: number, headers: Headers): boolean {
    return this.#candidates(status, headers).some(
      (rule) => Boolean(rule.body) || Boolean(rule.when) || (readsBody(rule) && !rule.text),
    )
  }

  neededBody(status: number, headers: Headers): NeededBody {
    const candidates = this.#candidates(status, headers)
    const last = candidates.at(-1)
    const isDecided = last !== undefined && isDecidedByHead(last)
    if (isDecided && !candidates.some(readsBody)) return 'none'
    if (!isSuccess(status) && last === undefined) return isQuoted(status, headers) ? 'beginning' : 'none'
    if (!isSuccess(status)) return 'beginning'
    return hasBody(status) ? 'page' : 'none'
  }

  /** Returns the rules that may fit, up to the first one that fits by status and headers. */
  #candidates(status: number, headers: Headers): RuleData[] {
    if (this.#rules.length === 0) return []
    const mayFit = this.#rules.filter((rule) => fitsHead(rule, status, headers))
    const decided = mayFit.findIndex(isDecidedByHead)
    return decided < 0 ? mayFit : mayFit.slice(0, decided + 1)
  }

  /** Returns the first rule that fits. `label` names the request if a function of a rule fails. */
  fitting(response: RuleResponse, label: string): RuleData | undefined {
    return this.#rules.find((rule) => fits(rule, response, label))
  }
}

/** True for a failure whose words a message quotes. Only a short body is read: a long one is no sentence. */
const isQuoted = (status: number, headers: Headers): boolean =>
  status >= 400 && status <= 499 && status !== 429 && Number(headers['content-length'] ?? Infinity) <= MAX_QUOTED_BYTES

const MAX_QUOTED_BYTES = 4_096

/** True for the statuses of success that may have a body. */
const hasBody = (status: number): boolean => isSuccess(status) && status !== 204 && status !== 205

export const isSuccess = (status: number): boolean => status >= 200 && status <= 299

const isDecidedByHead = ({ body, text, when }: RuleData): boolean => !body && !text && !when

const readsBody = (rule: RuleData): boolean =>
  !isDecidedByHead(rule) || isInBody(rule.message) || (typeof rule.wait === 'object' && isInBody(rule.wait.at))

const isInBody = (at: InResponse<never, unknown> | undefined): boolean =>
  typeof at === 'string' || typeof at === 'function'

function fitsHead({ status, header }: RuleData, actual: number, headers: Headers): boolean {
  if (status !== undefined && ![status].flat().some((match: StatusMatch) => fitsStatus(match, actual))) return false
  return Object.entries(header ?? {}).every(([name, expected]) => fitsValue(headers[name], expected))
}

const fitsStatus = (match: StatusMatch, status: number): boolean =>
  typeof match === 'number' ? match === status : Number(match[0]) === Math.floor(status / 100)

function fits(rule: RuleData, response: RuleResponse, label: string): boolean {
  const { body, text, when } = rule
  if (!fitsHead(rule, response.status, response.headers)) return false
  if (!Object.entries(body ?? {}).every(([path, expected]) => fitsMember(response.body, path, expected))) return false
  if (text && !matches(response.text, text)) return false
  return !when || callWhen(when, response, `${label}: the rule ${ruleText(rule)}`)
}

function callWhen(when: NonNullable<RuleData['when']>, response: RuleResponse, location: string): boolean {
  let result: unknown
  try {
    result = when(response)
  } catch (cause) {
    throw new DecodeError(`${location} failed: ${messageOf(cause)}`, { cause })
  }
  // A promise would always count as true.
  if (typeof result === 'boolean') return result
  throw new DecodeError(`${location} must return true or false`)
}

type Expected = NonNullable<RuleData['body']>[string]

/** In a list, any element may have the value. A name that contains dots is found too. */
function fitsMember(value: unknown, path: string, expected: Expected): boolean {
  if (Array.isArray(value)) return value.some((element) => fitsMember(element, path, expected))
  if (typeof value !== 'object' || value === null) return false
  const members = value as Readonly<Record<string, unknown>>
  if (Object.hasOwn(members, path)) {
    const member = members[path]
    if (Array.isArray(member) ? member.some((element) => fitsValue(element, expected)) : fitsValue(member, expected))
      return true
  }
  const dot = path.indexOf('.')
  const name = dot < 0 ? path : path.slice(0, dot)
  return dot >= 0 && Object.hasOwn(members, name) && fitsMember(members[name], path.slice(dot + 1), expected)
}

function fitsValue(value: unknown, expected: Expected): boolean {
  if (typeof expected !== 'object' || expected === null) return value === expected
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isPlain && matches(String(value), expected)
}

const compiled = new WeakMap<Pattern, RegExp>()

function matches(text: string, pattern: Pattern): boolean {
  let expression = compiled.get(pattern)
  if (!expression) {
    expression = new RegExp(pattern.pattern, pattern.flags)
    compiled.set(pattern, expression)
  }
  // `test` would go on behind the last match if the expression has the flag g.
  return text.search(expression) >= 0
}
