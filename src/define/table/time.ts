import type { ColumnOptions, EmptyText } from '../../model/recipe.ts'
import { timeReader, type NAMED_FORMS, type TimeForm } from '../../value/time-form.ts'
import { defined } from '../../value/defined.ts'
import { checkValue } from '../check-value.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'

/** A column of times that the API writes in a form of its own: what `time()` returns. */
export interface TimeColumn extends ColumnOptions {
  readonly type: 'timestamptz' | 'date'
  readonly time: TimeForm
}

/** Options of `time()`. */
export interface TimeOptions {
  /** The zone of the clock, for a pattern without an offset, such as `'Europe/Berlin'`. @default none */
  zone?: string
  /** Offsets of names of zones that the pattern has as `z`, such as `{ IST: '+05:30' }`. @default the usual ones */
  zones?: Readonly<Record<string, string>>
  /** Accept more than six digits behind the point. @default false: such a record is rejected */
  round?: boolean
  /** The meaning of the text `''`. @default that of the table */
  emptyText?: EmptyText
}

/**
 * A time that the API does not write as ISO 8601, for `columns` and `.incremental()`. It is stored exactly, as
 * timestamptz; a pattern without a time of the day is a date. A record with a value of another form is rejected.
 *
 * | form | value |
 * |---|---|
 * | `'unix'`, `'unix ms'` | seconds or milliseconds since 1970, as a number or text |
 * | `'rfc 2822'` | `Fri, 24 May 2019 17:44:46 +0000`, as in a mail |
 * | `'/Date()/'` | `/Date(1764237600000+0000)/` |
 * | a pattern | `20260131` as `YYYYMMDD` |
 *
 * A pattern has `YYYY`, `MM`, `M`, `MMM` (Jan), `DD`, `D`, `HH`, `H`, `hh`, `h`, `A` (AM), `mm`, `ss`, `S` (fraction),
 * `Z` (offset) and `z` (name of a zone, such as MET). Other letters stand in brackets: `[at]`.
 *
 * @example
 * customers.into('stripe.customers', { key: 'id', columns: { created: time('unix') } })
 * days.into('a.days', { key: 'day', columns: { day: time('YYYYMMDD') } })
 * listings.into('b.listings', { key: 'sku', columns: { opened: time('YYYY-MM-DD HH:mm:ss z') } })
 */
export function time(form: (typeof NAMED_FORMS)[number] | (string & {}), options: TimeOptions = {}): TimeColumn {
  const place = `time(${JSON.stringify(form)})`
  rejectUnknownOptions(place, options, ['zone', 'zones', 'round', 'emptyText'])
  const { zone, zones, round, emptyText } = options
  const timeForm: TimeForm = Object.freeze({ form, ...defined({ zone, zones: zones && Object.freeze({ ...zones }) }) })
  const { isDay } = checkValue(place, () => timeReader(timeForm))
  return Object.freeze({ type: isDay ? 'date' : 'timestamptz', time: timeForm, ...defined({ round, emptyText }) })
}
