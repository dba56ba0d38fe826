// Checks the options that several paginators have.
import { isCondition, type InCondition } from '../../model/condition.ts'
import { UsageError } from '../../model/errors.ts'
import type { InHeader, Parameter } from '../../model/request.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { checkTest } from './condition.ts'

/** Returns a name. Throws a UsageError if it is missing. */
export function named<Name extends Parameter>(paginator: string, name: Name): Name {
  if (!isHeader(name) && (typeof name !== 'string' || name.trim() === ''))
    throw new UsageError(
      `${paginator}(): a name is missing. Give the parameter, header or relation that leads to the next page`,
    )
  return name
}

/** Returns a place in a response. Throws a UsageError if it is none. */
export function given<From>(paginator: string, at: From): From {
  if ((typeof at !== 'string' || at === '') && typeof at !== 'function' && !isHeader(at))
    throw new UsageError(
      `${paginator}(): give the place of the next page in the response: a path of the body such as 'meta.next', ` +
        'a function of the body, or inHeader(…)',
    )
  return at
}

/** Stores `done` as a `more` that means the opposite. */
export function withMore<Place, Others extends { readonly more?: Place; readonly done?: Place }>(
  paginator: string,
  { done, ...options }: Others,
): Omit<Others, 'done'> & { readonly moreIs?: false } {
  for (const condition of [options.more, done]) if (isCondition(condition)) checkCondition(paginator, condition)
  if (done === undefined) return options
  if (options.more !== undefined)
    throw new UsageError(`${paginator}(): give \`more\` or \`done\`, not both: one says the opposite of the other`)
  return { ...options, more: isCondition(done) ? done : given(paginator, done), moreIs: false }
}

function checkCondition(paginator: string, condition: InCondition<never>): void {
  rejectUnknownOptions(`${paginator}()`, condition, ['at', 'is', 'exists'])
  given(paginator, condition.at)
  checkTest(`${paginator}()`, condition)
  const { at, is } = condition
  const other = isHeader(at) ? [is].flat().find((value) => value !== undefined && typeof value !== 'string') : undefined
  if (other !== undefined)
    throw new UsageError(`${paginator}(): a header is text, so it is never ${other}. Write is: '${other}'`)
}

const isHeader = (at: unknown): at is InHeader =>
  typeof at === 'object' && at !== null && 'header' in at && typeof at.header === 'string'

/** Throws a UsageError for a number that is not a whole one from 0. */
export function whole(paginator: string, numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new UsageError(`${paginator}(): ${name} must be a whole number from 0, not ${value}`)
  }
}
