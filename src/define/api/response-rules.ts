import { UsageError } from '../../model/errors.ts'
import type { Credentials, InHeader } from '../../model/request.ts'
import type { Pattern, RuleData, RuleResponse, StatusClass, StatusMatch, WaitUnit } from '../../model/response-rule.ts'
import { defined } from '../../value/defined.ts'
import { duration, type Duration } from '../../value/duration.ts'
import { rejectUnknownOptions, unknownOption } from '../../model/unknown-option.ts'
import { checkValue } from '../check-value.ts'

/** A place in a response: a path of the body, a function of the body, or a header. */
type Place<Value> = string | ((body: unknown) => Value | null | undefined) | InHeader

/** The responses that a rule fits: all the conditions that are given must hold, and at least one is given. */
export interface RuleConditions {
  /** A status, a class such as `'4xx'`, or a list of them. */
  readonly status?: StatusMatch | readonly StatusMatch[]
  /** Headers that have a value, or match a regular expression. */
  readonly header?: Readonly<Record<string, string | RegExp>>
  /**
   * Members of the body that have a value, or match a regular expression, by their paths. In a list, any element may
   * have it.
   */
  readonly body?: Readonly<Record<string, string | number | boolean | null | RegExp>>
  /** Matches the beginning of the body, up to 65,536 characters, whatever its form. */
  readonly text?: RegExp
  /** Called if all the other conditions hold. */
  readonly when?: (response: RuleResponse) => boolean
}

/**
 * A rule that says what a response means. Rules are tried in order, those of the request before those of the API. The
 * first one that fits decides; a response that none fits is treated as it would be without rules.
 *
 * @example
 * const pastTheEnd: ResponseRule = { status: 400, body: { code: 'invalid_page_number' }, action: 'empty' }
 */
export type ResponseRule =
  | (RuleConditions & {
      /** The request is tried again, as after status 503. */
      readonly action: 'retry'
      /**
       * The least wait before the next try: a duration, or its place in the response. There, a number counts seconds
       * unless `unit` says otherwise, and a date is a moment. @default the wait after status 503
       */
      readonly wait?:
        | Duration
        | { readonly at: Place<string | number>; readonly unit?: WaitUnit; readonly otherwise?: Duration }
      /**
       * What waits: all requests to the API, or those to the path.
       * @default the API for up to five minutes, the path for a longer wait
       */
      readonly reach?: 'api' | 'path'
    })
  | (RuleConditions & {
      /** A page without records, and the end of the paging. `emptyOn` is the short form for statuses. */
      readonly action: 'empty'
    })
  | (RuleConditions & {
      /**
       * Leaves out the page, or all records of a child, and goes on. The report counts it. A paginator that cannot go
       * on without the response fails.
       */
      readonly action: 'skip'
      /** The reading is complete without it. @default false: its completeness is `open` */
      readonly expected?: boolean
    })
  | (RuleConditions & {
      /** Fetches new credentials once and sends the request again. For credentials that are fetched. */
      readonly action: 'renew'
    })
  | (RuleConditions & {
      /** The stream fails. */
      readonly action: 'fail'
      /** The place of the message in the response. @default no message */
      readonly message?: Place<string>
    })

const CONDITIONS = ['status', 'header', 'body', 'text', 'when'] as const
/** The actions, and the options that each of them has. */
const ACTIONS: Readonly<Record<RuleData['action'], readonly string[]>> = {
  retry: ['wait', 'reach'],
  empty: [],
  skip: ['expected'],
  renew: [],
  fail: ['message'],
}
/** The kinds of credentials that are fetched. */
const RENEWABLE: readonly string[] = ['client credentials', 'refresh token', 'session', 'jwt']
const UNITS: readonly WaitUnit[] = ['s', 'ms', 'm', 'unix', 'unix ms']

/** Returns the rules as data. Throws a UsageError for a rule that can never fit, or that fits every page. */
export function readResponseRules(
  place: string,
  rules: readonly ResponseRule[],
  auth: Credentials | undefined,
): readonly RuleData[] {
  if (!Array.isArray(rules))
    throw new UsageError(`${place}: responseRules must be a list, as in [{ status: 404, action: 'empty' }]`)
  return Object.freeze(
    rules.map((rule: ResponseRule, index) => Object.freeze(ruleData(`${place}: responseRules[${index}]`, rule, auth))),
  )
}

/** Throws a UsageError for statuses that no response has, or that every page has. */
export function checkEmptyOn(place: string, emptyOn: readonly number[] | undefined): void {
  if (emptyOn === undefined) return
  if (!Array.isArray(emptyOn)) throw new UsageError(`${place}: emptyOn must be a list of statuses, as in [404]`)
  for (const status of emptyOn) checkStatus(`${place}: emptyOn`, status)
  refuseEveryPage(`${place}: emptyOn`, { status: emptyOn, action: 'empty' })
}

/** Returns conditions on a response as data. */
export function readConditions(
  place: string,
  conditions: Pick<RuleConditions, 'status' | 'header' | 'text'>,
): Pick<RuleData, 'status' | 'header' | 'text'> {
  rejectUnknownOptions(place, conditions, { status: true, header: true, text: true })
  const { action: _, ...data } = ruleData(place, { ...conditions, action: 'fail' }, undefined)
  return Object.freeze(data)
}

function ruleData(place: string, rule: ResponseRule, auth: Credentials | undefined): RuleData {
  if (typeof rule !== 'object' || rule === null)
    throw new UsageError(`${place} must be an object, as in { status: 404, action: 'empty' }`)
  const { action, status, header, body, text, when, ...more } = rule
  const options = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  if (!options)
    throw new UsageError(
      `${place}: action must be one of ${Object.keys(ACTIONS).join(', ')}, not ${JSON.stringify(action)}`,
    )
  refuseOtherNames(place, more, options, action)
  if (CONDITIONS.every((name) => rule[name] === undefined))
    throw new UsageError(`${place} has no condition, so it would fit every response. Give ${CONDITIONS.join(', ')}`)
  const statuses = status === undefined ? undefined : [status].flat()
  if (statuses?.length === 0) throw new UsageError(`${place}: status is an empty list, so the rule can never fit`)
  for (const one of statuses ?? []) checkStatus(`${place}: status`, one)
  if (when !== undefined && typeof when !== 'function')
    throw new UsageError(`${place}: when must be a function of the response that returns true or false`)
  if (action === 'renew' && ![auth ?? []].flat().some(({ type }) => RENEWABLE.includes(type)))
    throw new UsageError(
      `${place}: 'renew' needs credentials that can be renewed, as in http(base, { auth: clientCredentials(…) })`,
    )
  const data: RuleData = {
    ...defined({
      status,
      header: header && valuesOf(`${place}: header`, header, (name) => name.toLowerCase()),
      body: body && valuesOf(`${place}: body`, body, (path) => path),
      text: text && patternOf(`${place}: text`, text),
      when,
    }),
    action,
    ...optionsOf(place, rule),
  }
  refuseEveryPage(place, data)
  return data
}

function refuseOtherNames(place: string, more: object, options: readonly string[], action: string): void {
  for (const name of Object.keys(more)) {
    if (options.includes(name)) continue
    const owner = Object.keys(ACTIONS).find((other) => ACTIONS[other as RuleData['action']].includes(name))
    if (owner === undefined) throw unknownOption(place, name, [...CONDITIONS, 'action', ...options])
    throw new UsageError(`${place}: ${name} belongs to action '${owner}', not to '${action}'`)
  }
}

function checkStatus(place: string, status: unknown): void {
  const isClass = typeof status === 'string' && /^[1-5]xx$/.test(status)
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599
  if (!isClass && !isStatus)
    throw new UsageError(`${place}: ${JSON.stringify(status)} is no status. Write a number such as 404, or '4xx'`)
}

/** A rule that fits every page by its status would read nothing and call it done. */
function refuseEveryPage(place: string, { status, header, body, text, when, action }: RuleData): void {
  if ((action !== 'empty' && action !== 'skip') || header || body || text || when || status === undefined) return
  const everyPage = [status].flat().find((one) => one === 200 || one === ('2xx' satisfies StatusClass))
  if (everyPage !== undefined)
    throw new UsageError(
      `${place}: status ${everyPage} fits every page, so nothing would be read. Add a condition, such as body or text`,
    )
}

function valuesOf<Value extends string | number | boolean | null>(
  place: string,
  values: Readonly<Record<string, Value | RegExp | Pattern>>,
  nameOf: (name: string) => string,
): Record<string, Value | Pattern> {
  const entries = Object.entries(values)
  if (typeof values !== 'object' || entries.length === 0)
    throw new UsageError(`${place} must be an object with at least one name and its value`)
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (name.trim() === '') throw new UsageError(`${place}: a name is missing`)
      return [nameOf(name), valueOf(`${place}: ${JSON.stringify(name)}`, value)]
    }),
  )
}

function valueOf<Value extends string | number | boolean | null>(
  place: string,
  value: Value | RegExp | Pattern,
): Value | Pattern {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Value
  return patternOf(place, value as RegExp | Pattern)
}

/** A rule that was data before has its patterns as data already. */
function patternOf(place: string, value: RegExp | Pattern): Pattern {
  const { pattern, flags } = value instanceof RegExp ? { pattern: value.source, flags: value.flags } : value
  if (typeof pattern !== 'string')
    throw new UsageError(`${place} must be text, a number, true, false, null or a regular expression`)
  checkValue(place, () => new RegExp(pattern, flags))
  return { pattern, ...(flags !== undefined && flags !== '' && { flags }) }
}

/** Returns the options of the action, without those that are undefined. */
function optionsOf(place: string, rule: ResponseRule): Pick<RuleData, 'wait' | 'reach' | 'expected' | 'message'> {
  switch (rule.action) {
    case 'retry':
      if (rule.reach !== undefined && rule.reach !== 'api' && rule.reach !== 'path')
        throw new UsageError(`${place}: reach must be 'api' or 'path', not ${JSON.stringify(rule.reach)}`)
      return defined({ wait: rule.wait && checkWait(`${place}: wait`, rule.wait), reach: rule.reach })
    case 'skip':
      if (rule.expected !== undefined && typeof rule.expected !== 'boolean')
        throw new UsageError(`${place}: expected must be true or false`)
      return rule.expected ? { expected: true } : {}
    case 'fail':
      if (rule.message !== undefined) checkPlace(`${place}: message`, rule.message)
      return defined({ message: rule.message })
    case 'empty':
    case 'renew':
      return {}
  }
}

function checkWait(
  place: string,
  wait: NonNullable<Extract<ResponseRule, { action: 'retry' }>['wait']>,
): NonNullable<RuleData['wait']> {
  if (typeof wait !== 'object') {
    checkValue(place, () => duration(wait))
    return wait
  }
  rejectUnknownOptions(place, wait, { at: true, unit: true, otherwise: true })
  const { at, unit, otherwise } = wait
  checkPlace(`${place}.at`, at)
  if (otherwise !== undefined) checkValue(`${place}.otherwise`, () => duration(otherwise))
  if (unit !== undefined && !UNITS.includes(unit))
    throw new UsageError(`${place}.unit must be one of ${UNITS.map((name) => `'${name}'`).join(', ')}, not '${unit}'`)
  return { at: at as NonNullable<RuleData['message']>, ...defined({ unit, otherwise }) }
}

function checkPlace(place: string, at: unknown): void {
  const isHeader = typeof at === 'object' && at !== null && 'header' in at && typeof at.header === 'string'
  if ((typeof at !== 'string' || at === '') && typeof at !== 'function' && !isHeader)
    throw new UsageError(
      `${place} must be a path of the body such as 'error.message', a function of the body, or inHeader(…)`,
    )
}
