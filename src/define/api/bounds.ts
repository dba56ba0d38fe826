import { UsageError } from '../../model/errors.ts'
import { isFilledIn } from '../../model/bounds-in.ts'
import type { Bound, BoundText } from '../../model/request.ts'
import { timePattern } from '../../value/time-pattern.ts'
import { isZoneName } from '../../value/zone.ts'
import { checkValue } from '../check-value.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'

/**
 * The start of the range that is read, as a value of a query or of JSON. If the range has no start, the parameter is
 * left out of the request.
 *
 * @example
 * api.get<Order[]>('/orders', { updated_since: since })
 */
export const since: Bound = Object.freeze({ bound: 'since' })
/**
 * The end of the range that is read; records at the end itself are not part of it. A run without an end leaves the
 * parameter out; a backfill sets it for each window.
 *
 * @example
 * api.get<Order[]>('/orders', { from: since, to: until })
 */
export const until: Bound = Object.freeze({ bound: 'until' })
/**
 * A bound in whole seconds since 1970. A cursor that is a time needs an offset.
 *
 * @example
 * api.get<Order[]>('/orders', { created_gte: unix(since) })
 */
export const unix = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'unix' })
/**
 * A bound in milliseconds since 1970. A cursor that is a time needs an offset.
 *
 * @example
 * api.get<Order[]>('/orders', { from: unixMs(since) })
 */
export const unixMs = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'unix ms' })
/**
 * A bound as a day, such as `2024-01-31`. Of a time with an offset it is the day in UTC or on that offset's clock, so
 * that none is missed: for `since` the earlier one, for `until` the later one. Of a time without one it is its own day.
 *
 * @example
 * api.get<Day[]>('/days', { from: isoDate(since), to: isoDate(until) })
 */
export const isoDate = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'date' })
/**
 * A bound as a number, for a counter in JSON or in the variables of a GraphQL query: `Int` accepts no text.
 *
 * @example
 * api.graphql<Data>('query ($after: Int) { … }', { after: asNumber(since) })
 */
export const asNumber = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'number' })
/**
 * A bound in UTC with milliseconds and `Z`, such as `2024-01-31T10:00:00.000Z`, whatever the offset of the cursor. It
 * must have one.
 *
 * @example
 * api.get<Found>('/query', { q: text`select Id from Account where SystemModstamp >= ${utc(since)}` })
 */
export const utc = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'utc' })
/**
 * A bound as the clock of a zone shows it, by a pattern of `YYYY`, `MM`, `DD`, `HH`, `mm` and `ss`. What the pattern
 * leaves out is rounded outwards. An hour that the clock shows twice is sent two hours earlier (`until`: later).
 *
 * @example
 * api.get<Issues>('/search', { jql: text`updated >= "${formatTime(since, 'YYYY-MM-DD HH:mm', { zone })}"` })
 */
export function formatTime(
  { bound }: Bound,
  pattern: string,
  options: {
    /** The zone of the clock, such as `'Europe/Berlin'`. @default 'UTC' */
    zone?: string
  } = {},
): Bound {
  const place = `formatTime(${bound}, ${JSON.stringify(pattern)})`
  rejectUnknownOptions(place, options, ['zone'])
  const { zone = 'UTC' } = options
  const { step } = checkValue(place, () => timePattern(pattern))
  if (step === undefined)
    throw new UsageError(`${place}: it is written with YYYY, MM, MMM, DD, HH, mm and ss; other parts can only be read`)
  if (!isZoneName(zone))
    throw new UsageError(`${place}: ${JSON.stringify(zone)} is no time zone. Write its name, as in 'Europe/Berlin'`)
  return Object.freeze({ bound, as: Object.freeze({ pattern, zone }) })
}
/**
 * A text with bounds in it, for an API with a language of its own: a query, a search, a filter. Where the range has no
 * such end, the parameter is left out, and of a text within a text only the inner one.
 *
 * A value may not have characters that would change the meaning of the text around it: quotes, or a backslash.
 *
 * @example
 * api.get<Found>('/query', {
 *   q: text`select Id from Account${text` where SystemModstamp >= ${utc(since)}`} order by SystemModstamp`,
 * })
 */
export function text(
  texts: TemplateStringsArray,
  ...values: readonly (Bound | BoundText | string | number)[]
): BoundText {
  for (const value of values)
    if (!isFilledIn(value) && typeof value !== 'string' && !(typeof value === 'number' && Number.isFinite(value)))
      throw new UsageError(
        `text\`${texts.raw.join('${…}')}\`: a value is since, until, a text or a number, not ${String(value)}. ` +
          'A value that depends on a record or on the range needs a function',
      )
  return Object.freeze({ textTemplate: Object.freeze([...texts]), values: Object.freeze(values) })
}
