// What a rule makes of a response: an error, or a page without records.
import { HttpError } from '../../model/errors.ts'
import { valueAt } from '../../model/path.ts'
import type { InResponse } from '../../model/request.ts'
import { ruleText, type RuleData, type RuleResponse, type WaitFrom } from '../../model/response-rule.ts'
import { Decimal } from '../../value/decimal.ts'
import { duration } from '../../value/duration.ts'
import { redactText } from '../../observe/redact.ts'
import { displayJson } from '../../value/json/stored-json.ts'
import { shorten } from '../../value/text.ts'
import { atMost, retryAfter, untilDate } from '../limits/retry-after.ts'
import { retryError, type RetryErrorOptions } from '../request-error.ts'

/** A rule that makes a response a page without records. */
export type EmptyingRule = RuleData & { readonly action: 'empty' | 'skip' }

export const isEmptied = (rule: RuleData | undefined): rule is EmptyingRule =>
  rule?.action === 'empty' || rule?.action === 'skip'

export interface RuleErrorOptions extends Omit<RetryErrorOptions, 'status' | 'headers'> {
  /** Replaces the values of secrets. */
  readonly hide: (text: string) => string
}

/** Returns the error of a response for any other rule: it is tried again, its credentials were renewed, or it fails. */
export function ruleError(rule: RuleData, response: RuleResponse, { hide, ...asked }: RuleErrorOptions): Error {
  const { status, headers } = response
  const { label } = asked
  switch (rule.action) {
    case 'retry':
      return retryError(`${label} answered ${status}, and a rule retries it (${ruleText(rule)})`, {
        ...asked,
        status,
        headers,
        retryAfterMs: asked.retryAfterMs ?? retryAfter(headers, asked.now),
      })
    case 'renew':
      return new HttpError(
        `${label} answered ${status}: the credentials were refused, also after they were renewed (${ruleText(rule)})`,
        { kind: 'credentials', status, location: label },
      )
    case 'empty':
    case 'skip':
    case 'fail': {
      const message = messageIn(rule, response)
      // Secrets are found in the whole message only, so it is shortened at last.
      const detail =
        message === undefined ? `a rule lets it fail (${ruleText(rule)})` : oneLine(redactText(hide(message)))
      return new HttpError(`${label} answered ${status}: ${detail}`, { kind: 'rule', status, location: label })
    }
  }
}

function messageIn({ message: at }: RuleData, response: RuleResponse): string | undefined {
  const value = at === undefined ? undefined : valueOf(at, response)
  if (value === undefined || value === null || value === '') return undefined
  return typeof value === 'string' ? value : displayJson(value)
}

const oneLine = (text: string): string => shorten(text.replace(/\s+/g, ' ').trim())

/** Returns the wait that the rule itself states or finds in the response, in milliseconds. */
export function ruleWait({ wait }: RuleData, response: RuleResponse, now: Date): number | undefined {
  if (typeof wait === 'string') return duration(wait)
  const stated = wait && waitIn(wait, response, now)
  // A wait of 0 is an estimate that says nothing.
  return wait?.otherwise !== undefined && (stated ?? 0) === 0 ? duration(wait.otherwise) : stated
}

type Answered = Pick<RuleResponse, 'body' | 'headers'>

/** Returns the time that a response states at a place, in milliseconds from now; undefined if it states none. */
export function waitIn({ at, unit = 's' }: WaitFrom, response: Answered, now: Date): number | undefined {
  const value = valueOf(at, response)
  const text =
    typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal ? String(value) : value
  if (typeof text !== 'string' || text.trim() === '') return undefined
  const number = Number(text)
  if (!Number.isFinite(number)) return untilDate(text, response.headers, now)
  switch (unit) {
    case 's':
      return atMost(Math.max(0, number * 1_000))
    case 'm':
      return atMost(Math.max(0, number * 60_000))
    case 'ms':
      return atMost(Math.max(0, number))
    case 'unix':
      return untilDate(number * 1_000, response.headers, now)
    case 'unix ms':
      return untilDate(number, response.headers, now)
  }
}

/** Returns the value at a place; undefined if a function fails there, since a failure has any body. */
function valueOf(at: InResponse<never, unknown>, { body, headers }: Answered): unknown {
  if (typeof at === 'object')
    return at.json === undefined ? headers[at.header] : greatestInJson(headers[at.header], at.json)
  if (typeof at === 'string') return valueAt(body, at)
  try {
    return at(body as never)
  } catch {
    return undefined
  }
}

/** Returns the greatest number at a path in JSON, undefined if there is none. `*` stands for every member. */
function greatestInJson(text: string | undefined, path: string): number | undefined {
  try {
    const numbers = membersAt(JSON.parse(text ?? ''), path.split('.')).filter((value) => typeof value === 'number')
    return numbers.length === 0 ? undefined : Math.max(...numbers)
  } catch {
    return undefined // A header that is no JSON states nothing.
  }
}

function membersAt(value: unknown, [name, ...names]: readonly string[]): unknown[] {
  if (name === undefined) return [value]
  if (typeof value !== 'object' || value === null) return []
  const members = value as Readonly<Record<string, unknown>>
  if (name === '*') return Object.values(members).flatMap((member) => membersAt(member, names))
  return Object.hasOwn(members, name) ? membersAt(members[name], names) : []
}
