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
  readonly name: FieldName
  readonly title: string
  readonly least: number
  readonly most: number
  readonly names?: readonly string[]
}

const fields: readonly Field[] = [
  { name: 'minute', title: 'the minute', least: 0, most: 59 },
  { name: 'hour', title: 'the hour', least: 0, most: 23 },
  { name: 'day', title: 'the day of the month', least: 1, most: 31 },
  {
    name: 'month',
    title: 'the month',
    least: 1,
    most: 12,
    names: ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  {
    name: 'weekday',
    title: 'the day of the week',
    least: 0,
    most: 7,
    names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
  },
]

const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Parses a pattern of five fields, in the notation that every cron understands alike: numbers and names, lists, ranges
 * and steps. Throws a UsageError that names the wrong field.
 */
export function parseCron(pattern: string, place: string): CronFields {
  const texts = pattern.trim().split(/\s+/)
  if (texts.length !== 5)
    throw new UsageError(
      `${place}: the schedule ${JSON.stringify(pattern)} must have five fields, as in '*/15 * * * *'`,
    )
  const lists = fields.map((field, index) =>
    valuesOf(texts[index]!, field, `${place}: the schedule ${JSON.stringify(pattern)}`),
  )
  const [minute, hour, day, month, weekday] = lists as [number[], number[], number[], number[], number[]]
  const any = Object.fromEntries(fields.map(({ name }, index) => [name, texts[index] === '*'])) as Record<
    FieldName,
    boolean
  >
  for (const [index, other] of [
    [2, 'weekday'],
    [4, 'day'],
  ] as const) {
    if (!texts[index]!.startsWith('*/') || any[other]) continue
    throw new UsageError(
      `${place}: the schedule ${JSON.stringify(pattern)}: a step of all days together with another restriction of days means one thing here and another there: write the step as a range, as in '${index === 2 ? '1-31/2' : '0-6/2'}'`,
    )
  }
  if (any.weekday && !month.some((one) => day.some((number) => number <= longest[one - 1]!)))
    throw new UsageError(`${place}: the schedule ${JSON.stringify(pattern)} never comes: no such month has such a day`)
  return {
    minute,
    hour,
    day,
    month,
    weekday: [...new Set(weekday.map((one) => one % 7))].toSorted((a, b) => a - b),
    any,
  }
}

/** Returns the shortest time between two ticks of a day in milliseconds, also across midnight. */
export function shortestGap({ minute, hour }: CronFields): number {
  const times = hour.flatMap((one) => minute.map((other) => one * 60 + other))
  return Math.min(...times.map((time, index) => (times[index + 1] ?? times[0]! + 1_440) - time)) * 60_000
}

function valuesOf(text: string, field: Field, place: string): number[] {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [, range = '', step] = /^([^/]*)(?:\/(\d{1,2}))?$/.exec(part) ?? []
    const [from, to] = boundsOf(range, field) ?? []
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

function boundsOf(range: string, field: Field): readonly [number, number] | undefined {
  if (range === '*') return [field.least, field.name === 'weekday' ? 6 : field.most]
  const [from, to, ...more] = range.split('-').map((text) => valueOf(text, field))
  return from === undefined || more.length > 0 || (range.includes('-') && to === undefined)
    ? undefined
    : [from, to ?? from]
}

function valueOf(text: string, { least, most, names = [] }: Field): number | undefined {
  const named = text === '' ? -1 : names.indexOf(text.toUpperCase())
  const value = named >= 0 ? named : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

function wanted({ least, most, names }: Field): string {
  const [first, second] = names?.filter((name) => name !== '') ?? []
  const name = first === undefined ? '' : ` or a name as ${first}`
  return `*, a number from ${least} to ${most}${name}, a range as ${first === undefined ? `${least + 1}-${least + 5}` : `${first}-${second}`}, a step as */2 or ${least}-${most}/2, or several of these with commas`
}
