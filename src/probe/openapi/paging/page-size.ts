// How many records should one request ask for?
import { numberOf, type ParameterOf } from '../operations.ts'
import type { Schema, Schemas } from '../schema.ts'
import { isPageSize } from './names.ts'

export interface PageSize {
  readonly parameter: string
  /** What to ask for. @default nothing is stated, so the API decides */
  readonly value?: number
  /** True if the description states the value as the largest one. */
  readonly isMaximum: boolean
}

/** Larger pages save nothing; some descriptions state the largest integer. */
const MAX_SIZE = 1_000

/** Returns the parameter of the page size, and the largest size that the description states. */
export function pageSizeOf(parameters: readonly ParameterOf[], schemas: Schemas): PageSize | undefined {
  const sizes = parameters
    .filter((one) => one.in === 'query' && isPageSize(one.name))
    .map((one) => ({ parameter: one, schema: schemas.read(one.schema) }))
    .filter(({ schema }) => isCount(schema))
    .toSorted((one, other) => rank(one.parameter) - rank(other.parameter))
  const [found] = sizes
  if (!found) return undefined
  const { parameter, schema } = found
  const { name } = parameter
  const stated = numberOf(schema.words, 'maximum') ?? largest(schema) ?? maximumIn(parameter.description)
  if (stated !== undefined && stated > 0)
    return { parameter: name, value: Math.min(stated, MAX_SIZE), isMaximum: stated <= MAX_SIZE }
  const usual = numberOf(schema.words, 'default')
  return { parameter: name, ...(usual !== undefined && usual > 0 && { value: usual }), isMaximum: false }
}

/** `limit` says what it is; `count`, `first` and `size` may be something else beside it. */
const rank = ({ name }: ParameterOf): number => (/limit|page|max/i.test(name) ? 0 : 1)

/** True for a number, and for a parameter whose type says nothing. */
export const isCount = ({ kinds, words }: Schema): boolean =>
  kinds.length === 0 ||
  kinds.includes('integer') ||
  kinds.includes('number') ||
  (kinds.includes('string') && typeof words['default'] === 'string' && /^\d+$/.test(words['default']))

/** The largest of the sizes that may be chosen. */
const largest = ({ values = [] }: Schema): number | undefined => {
  const numbers = values.map(Number).filter((value) => Number.isSafeInteger(value))
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

const NUMBER = String.raw`(\d{1,3}(?:,\d{3})+|\d+)`
const MAXIMUM = [
  // "max 100", "maximum value is 100", "the maximum number of results is 100", "Max: 100", "maximum of 100"
  String.raw`\bmax(?:imum|imal)?\b(?:(?!default)[^.\d\n]){0,40}?\b${NUMBER}\b`,
  // "up to 100", "at most 100", "no more than 100", "not exceed 100", "cannot be larger than 100"
  String.raw`\b(?:up to|at most|no more than|not exceed|upper limit (?:is|of))\s+(?:a value of\s+)?${NUMBER}\b`,
  String.raw`\b(?:larger|greater|higher|more) than\s+${NUMBER}\b`,
  // "between 1 and 100", "from 1 to 100", "1-100", "[1, 100]"
  String.raw`\b(?:between|from)\s+\d+\s+(?:and|to)\s+${NUMBER}\b`,
  String.raw`(?:\b|\[)[01]\s*(?:-|–|\.\.|,|to)\s*${NUMBER}\b`,
  // "100 is the maximum", "limit of 100", "<= 100"
  String.raw`\b${NUMBER}\s+(?:is the\s+)?max(?:imum)?\b`,
  String.raw`(?:<=|≤)\s*${NUMBER}\b`,
].map((pattern) => new RegExp(pattern, 'i'))

/** Returns the largest size that a text states, such as "(max 100)". */
function maximumIn(text: string): number | undefined {
  for (const pattern of MAXIMUM) {
    const stated = pattern.exec(text)?.[1]
    if (stated !== undefined) return Number(stated.replaceAll(',', ''))
  }
  return undefined
}
