// Rules that say what the responses of an API mean: data, with functions of the user in a few places.
import type { Duration } from '../value/duration.ts'
import type { ApiResponse, InResponse, Request } from './request.ts'

/** All statuses that begin with a digit, such as `'4xx'`. */
export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx'
/** A status such as 404, or a class such as `'4xx'`. */
export type StatusMatch = number | StatusClass

/** A regular expression as data. */
export interface Pattern {
  readonly pattern: string
  readonly flags?: string
}

/** A response as a rule sees it. */
export interface RuleResponse extends Omit<ApiResponse<unknown>, 'records'> {
  /** The beginning of the body, whatever its form: up to 65,536 characters. */
  readonly text: string
}

/** The unit of a wait: a length in seconds, milliseconds or minutes, or a moment in (milli)seconds since 1970. */
export type WaitUnit = 's' | 'ms' | 'm' | 'unix' | 'unix ms'

/** The place of a wait in a response. A date in text is a moment, whatever the unit. */
export interface WaitFrom {
  readonly at: InResponse<never, unknown>
  /** @default 's' */
  readonly unit?: WaitUnit
  /** The wait if the response states none, or 0. @default that of `Retry-After` */
  readonly otherwise?: Duration
}

/**
 * What a rule does with a response.
 *
 * | action | meaning |
 * |---|---|
 * | `retry` | the request is tried again, as after status 503 |
 * | `empty` | a page without records, and the end of the paging |
 * | `skip` | the page, or all records of the child, are left out, and the reading goes on |
 * | `renew` | the credentials are renewed once, and the request is sent again |
 * | `fail` | the stream fails |
 */
export type RuleAction = 'retry' | 'empty' | 'skip' | 'renew' | 'fail'

/** A rule. It fits a response if all its conditions hold. */
export interface RuleData {
  readonly status?: StatusMatch | readonly StatusMatch[]
  /** Values of headers, by their names in lower case. */
  readonly header?: Readonly<Record<string, string | Pattern>>
  /** Values of the body, by their paths. In a list, any element may have the value. */
  readonly body?: Readonly<Record<string, string | number | boolean | null | Pattern>>
  readonly text?: Pattern
  readonly when?: (response: RuleResponse) => boolean
  readonly action: RuleAction
  /** For `retry`: the least wait before the next try. */
  readonly wait?: Duration | WaitFrom
  /** For `retry`: a wait holds for the whole API or for the path. @default by its length and the headers */
  readonly reach?: 'api' | 'path'
  /** For `skip`: the reading counts as complete without it. @default false */
  readonly expected?: boolean
  /** For `fail`: the place of the message. */
  readonly message?: InResponse<never, unknown>
}

/** Returns the rules of a request in the order in which they are tried. `emptyOn` is the short form of the last one. */
export function rulesOfRequest({
  emptyOn = [],
  responseRules = [],
}: Pick<Request, 'emptyOn' | 'responseRules'>): readonly RuleData[] {
  return emptyOn.length === 0 ? responseRules : [...responseRules, { status: emptyOn, action: 'empty' }]
}

/** Returns a rule on one line, as messages and `sluice list --verbose` show it: `400, code = "gone": empty`. */
export const ruleText = (rule: RuleData): string => `${conditionText(rule)}: ${actionText(rule)}`

function conditionText({ status, header = {}, body = {}, text, when }: RuleData): string {
  const conditions = [
    status !== undefined && [status].flat().join(' or '),
    ...Object.entries(header).map(([name, value]) => `header ${name} ${valueText(value)}`),
    ...Object.entries(body).map(([path, value]) => `${path} ${valueText(value)}`),
    text && `text ${valueText(text)}`,
    when && functionText(when),
  ]
  return conditions.filter((condition) => condition !== false && condition !== undefined).join(', ')
}

function actionText({ action, wait, reach, expected, message }: RuleData): string {
  const waitText =
    typeof wait === 'object'
      ? `${placeText(wait.at)} (${wait.unit ?? 's'})${wait.otherwise === undefined ? '' : `, else ${wait.otherwise}`}`
      : wait
  return [
    action,
    waitText === undefined ? '' : ` after ${waitText}`,
    reach === undefined ? '' : ` for the ${reach === 'api' ? 'API' : 'path'}`,
    expected ? ' as expected' : '',
    message === undefined ? '' : ` with ${placeText(message)}`,
  ].join('')
}

const valueText = (value: string | number | boolean | null | Pattern): string =>
  typeof value === 'object' && value !== null
    ? `~ /${value.pattern}/${value.flags ?? ''}`
    : `= ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`

function placeText(at: InResponse<never, unknown>): string {
  if (typeof at === 'string') return at
  return typeof at === 'function'
    ? functionText(at)
    : `header ${at.header}${at.json === undefined ? '' : `, ${at.json}`}`
}

function functionText(fn: object): string {
  const text = Function.prototype.toString.call(fn).replace(/\s+/g, ' ')
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
