import { UsageError } from '../../model/errors.ts'

/**
 * The five fields of a cron pattern, each as the list of its values, so that other notations can be made of it.
 */
export interface CronFields {
  readonly minute: readonly number[]
  readonly hour: readonly number[]
  readonly day: readonly number[]
  /** From 1. */
  readonly month: readonly number[]
  /** Sunday is 0. */
  readonly weekday: readonly number[]
  /** The fields that are `*`. If neither day nor weekday is `*`, a day that matches one of them is enough. */
  readonly any: Readonly<Record<FieldName, boolean>>
}
type FieldName = 'minute' | 'hour' | 'day' | 'month' | 'weekday'

interface Field {
  readonly title: string
  readonly least: number
  readonly most: number
  readonly names?: readonly string[]
}

const FIELDS: Readonly<Record<FieldName, Field>> = {
  minute: { title: 'the minute', least: 0, most: 59 },
  hour: { title: 'the hour', least: 0, most: 23 },
  day: { title: 'the day of the month', least: 1, most: 31 },
  month: {
    title: 'the month',
    least: 1,
    most: 12,
    names: ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  weekday: {
    title: 'the day of the week',
    least: 0,
    most: 7, // Sunday again
    names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
  },
}

/** Days of each month in a leap year. */
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Parses a pattern of five fields, in the notation that every cron understands alike: numbers and names, lists, ranges
 * and steps. Throws a UsageError that names the wrong field.
 */
export function parseCron(pattern: string, location: string): CronFields {
  const place = `${location}: the schedule ${JSON.stringify(pattern)}`
  const texts = pattern.trim().split(/\s+/)
  if (!isFive(texts)) throw new UsageError(`${place} must have five fields, as in '*/15 * * * *'`)
  const text: Readonly<Record<FieldName, string>> = {
    minute: texts[0],
    hour: texts[1],
    day: texts[2],
    month: texts[3],
    weekday: texts[4],
  }
  const parse = (name: FieldName) => valuesOf(text[name], name, place)
  const isAny = (name: FieldName) => text[name] === '*'
  const fields = {
    minute: parse('minute'),
    hour: parse('hour'),
    day: parse('day'),
    month: parse('month'),
    // Sunday is 0 and 7.
    weekday: [...new Set(parse('weekday').map((one) => one % 7))].toSorted((a, b) => a - b),
    any: {
      minute: isAny('minute'),
      hour: isAny('hour'),
      day: isAny('day'),
      month: isAny('month'),
      weekday: isAny('weekday'),
    },
  }
  checkDays(text, fields, place)
  return fields
}

const isFive = (texts: readonly string[]): texts is readonly [string, string, string, string, string] =>
  texts.length === 5

/** Throws for days that cron programs understand differently, and for days that no month has. */
function checkDays(text: Readonly<Record<FieldName, string>>, { day, month, any }: CronFields, place: string): void {
  const stepped = (['day', 'weekday'] as const).find((name) => text[name].startsWith('*/'))
  if (stepped && !any[stepped === 'day' ? 'weekday' : 'day'])
    throw new UsageError(
      `${place}: cron programs disagree about a step of all days beside another restriction of days. ` +
        `Write the step as a range, as in '${stepped === 'day' ? '1-31/2' : '0-6/2'}'`,
    )
  const exists = month.some((one) => day.some((number) => number <= (DAYS_OF_MONTH[one - 1] ?? 0)))
  if (any.weekday && !exists) throw new UsageError(`${place} never comes: no such month has such a day`)
}

/** Returns the shortest time between two ticks of a day in milliseconds, also across midnight. */
export function shortestGap({ minute, hour }: CronFields): number {
  const times = hour.flatMap((one) => minute.map((other) => one * 60 + other))
  const [first = 0] = times
  return Math.min(...times.map((time, index) => (times[index + 1] ?? first + 1_440) - time)) * 60_000
}

function valuesOf(text: string, name: FieldName, place: string): number[] {
  const field = FIELDS[name]
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [, range = '', step] = /^([^/]*)(?:\/(\d{1,2}))?$/.exec(part) ?? []
    const [from, to] = boundsOf(range, name) ?? []
    const every = step === undefined ? 1 : Number(step)
    if (
      from === undefined ||
      to === undefined ||
      from > to ||
      every < 1 ||
      every > field.most - field.least + 1 ||
      (step !== undefined && from === to)
    )
      throw new UsageError(`${place}: ${field.title} ${JSON.stringify(part)} is not understood: write ${wanted(field)}`)
    for (let value = from; value <= to; value += every) values.add(value)
  }
  return [...values].toSorted((a, b) => a - b)
}

function boundsOf(range: string, name: FieldName): readonly [number, number] | undefined {
  const field = FIELDS[name]
  if (range === '*') return [field.least, name === 'weekday' ? 6 : field.most]
  const [from, to, ...more] = range.split('-').map((text) => valueOf(text, field))
  return from === undefined || more.length > 0 || (range.includes('-') && to === undefined)
    ? undefined
    : [from, to ?? from]
}

function valueOf(text: string, { least, most, names = [] }: Field): number | undefined {
  const named = text === '' ? -1 : names.indexOf(text.toUpperCase())
  if (named < 0 && !/^\d{1,2}$/.test(text)) return undefined
  const value = named >= 0 ? named : Number(text)
  return value >= least && value <= most ? value : undefined
}

function wanted({ least, most, names }: Field): string {
  const [first, second] = names?.filter((name) => name !== '') ?? []
  const name = first === undefined ? '' : ` or a name as ${first}`
  const range = first === undefined ? `${least + 1}-${least + 5}` : `${first}-${second}`
  return (
    `*, a number from ${least} to ${most}${name}, a range as ${range}, ` +
    `a step as */2 or ${least}-${most}/2, or several of these with commas`
  )
}
