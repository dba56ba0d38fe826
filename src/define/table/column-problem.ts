import type { ColumnDeclaration, EmptyText } from '../../model/recipe.ts'
import { messageOf } from '../../value/error.ts'
import { timeReader, type TimeForm } from '../../value/time-form.ts'
import { isZoneName } from '../../value/zone.ts'

/** The words of `emptyText`. */
export const EMPTY_TEXTS: readonly EmptyText[] = ['null', 'keep']

/** Returns the reason why a column cannot be declared so, as the end of a sentence about it. */
export function columnProblem(column: ColumnDeclaration, isKey: boolean): string | undefined {
  if (column === false || (typeof column === 'string' && column !== '')) return undefined
  if (typeof column !== 'object' || column === null)
    return `is a type as text, false, or { type, round, emptyText, zone, time }`
  const { type, round, emptyText, zone, time } = column
  if (type === undefined ? emptyText === undefined || round !== undefined || zone !== undefined : !isText(type))
    return `needs a type as text, as in { type: '${zone === undefined ? 'numeric(12,2)' : 'timestamptz'}' }`
  if (emptyText !== undefined && !EMPTY_TEXTS.includes(emptyText))
    return `has emptyText ${JSON.stringify(emptyText)}: it is 'null' or 'keep'`
  if (emptyText === 'null' && isKey) return "reads '' as null, but a key is never null"
  if (zone !== undefined && !isZoneName(zone))
    return `has zone ${JSON.stringify(zone)}, which is no time zone: write its name, as in 'Europe/Berlin'`
  if (zone !== undefined && !/^(?:timestamptz|timestamp ?(?:\(\d\))? with time zone)\b[^[]*$/i.test(type ?? ''))
    return `has a zone, which only timestamptz has, but its type is ${type}`
  return time === undefined ? undefined : timeProblem(time, type)
}

function timeProblem(time: TimeForm, type: string | undefined): string | undefined {
  try {
    timeReader(time)
  } catch (error) {
    return `has a time that cannot be read: ${messageOf(error)}`
  }
  return type !== undefined && /^(?:timestamp|date\b)/i.test(type)
    ? undefined
    : `has the form of a time, but its type is ${type}: write it as time('${time.form}')`
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
