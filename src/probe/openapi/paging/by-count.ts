// Lists whose pages are found by counting: offsets and page numbers.
import type { FoundPaging } from '../../found.ts'
import { textAt } from '../node.ts'
import { numberOf, type ParameterOf } from '../operations.ts'
import type { Schema } from '../schema.ts'
import { isOffset, isPage } from './names.ts'
import { isCount } from './page-size.ts'
import type { PagingStated } from './paging-found.ts'
import type { Search } from './search.ts'

/** A parameter such as `offset`. */
export function byOffset({ parameters, ends, size }: Search): PagingStated | undefined {
  const found = parameters.find(
    ({ schema, parameter }) =>
      isOffset(parameter.name) && isCount(schema) && parameter.name !== size?.parameter && !isTime(schema, parameter),
  )
  if (!found) return undefined
  const { words } = found.schema
  // Another default is a page that nobody wants to begin with: what is before it would be missing.
  const stated = [numberOf(words, 'default'), numberOf(words, 'minimum')].find((one) => one === 0 || one === 1)
  const { name } = found.parameter
  const limit = size && !USUAL_SIZE.test(size.parameter) ? { limit: size.parameter } : {}
  const question = `is the first record ${name}=0? The description does not say whether it counts from 0 or 1.`
  return {
    paging: { type: 'offset', parameter: name, start: stated ?? 0, ...ends, ...limit },
    questions: stated === undefined && !/offset|skip/i.test(name) ? [question] : [],
  }
}

/** Names of a page size that a run knows without the option `limit`. */
const USUAL_SIZE =
  /^(limit|per_page|perPage|page_size|pageSize|max_results|maxResults|\$limit|\$top|.*\[(limit|size)\])$/

/** `from` and `start` may be times. */
const isTime = ({ words }: Schema, { description }: ParameterOf): boolean =>
  /date|time|timestamp|epoch|unix/i.test(`${textAt(words, 'format') ?? ''} ${description}`)

/** A parameter such as `page`. */
export function byPage({ parameters, ends, pages }: Search): PagingStated | undefined {
  const found = parameters.find(({ parameter, schema }) => isPage(parameter.name) && isCount(schema))
  if (!found) return undefined
  const { parameter, schema } = found
  const start = firstPage(parameter, schema)
  const paging: FoundPaging = {
    type: 'page',
    parameter: parameter.name,
    start: start ?? 1,
    ...(pages !== undefined && { pages }),
    ...ends,
  }
  const question = `is the first page ${parameter.name}=1? The description does not say whether pages begin at 0 or 1.`
  return { paging, questions: start === undefined ? [question] : [] }
}

/** Returns the number of the first page, if it is stated. */
function firstPage({ description, example }: ParameterOf, { words }: Schema): number | undefined {
  const usual = numberOf(words, 'default') ?? numberOf(words, 'minimum')
  if (usual === 0 || usual === 1) return usual
  const stated = STATED.exec(description)
    ?.slice(1)
    .find((one) => one !== undefined)
  if (stated !== undefined) return /^(0|zero)$/i.test(stated) ? 0 : 1
  return example === 0 ? 0 : undefined
}

/** "zero-based", "1-indexed", "starts at 1" */
const STATED =
  /\b(zero|one|0|1)[- ](?:based|indexed)|\b(?:starts?|begins?|starting|beginning) (?:at|from|with) (zero|one|[01])\b/i
