// What a description states about the pages of one list: parameters, members of the answer, headers.
import type { FoundRecords, Place } from '../../found.ts'
import { nodeAt, textAt } from '../node.ts'
import type { Answer, Operation, ParameterOf } from '../operations.ts'
import type { Schema, Schemas } from '../schema.ts'
import {
  isCountOfPage,
  isDoneName,
  isMoreName,
  isPagesHeader,
  isPagesName,
  isTotalHeader,
  isTotalName,
  type Names,
} from './names.ts'
import { isCount, type PageSize, pageSizeOf } from './page-size.ts'
import { type BodyMember, scalarsOf } from './search-body.ts'

/** What is known of one list. */
export interface ListAnswer {
  readonly operation: Operation
  readonly answer: Answer
  readonly body: Schema
  readonly records: FoundRecords
  /** The schema of one record. */
  readonly record: Schema
}

export interface Search {
  readonly list: ListAnswer
  readonly parameters: readonly QueryParameter[]
  readonly members: readonly BodyMember[]
  /** Names in lower case. */
  readonly headers: readonly string[]
  /** @default no parameter states it */
  readonly size?: PageSize
  readonly ends: { readonly total?: Place; readonly more?: Place; readonly moreIs?: false }
  /** The number of pages. @default not stated */
  readonly pages?: Place
  /** The member with the next URL that the description names itself (`x-ms-pageable`). @default none */
  readonly namedLink?: string
}

export interface QueryParameter {
  readonly parameter: ParameterOf
  readonly schema: Schema
}

/** Collects what a description states about the pages of a list. */
export function searchOf(list: ListAnswer, schemas: Schemas): Search {
  const { operation, answer, body, records } = list
  const members = records.at === '' && records.shape === 'list' ? [] : scalarsOf(body, schemas)
  const parameters = operation.parameters
    .filter((one) => one.in === 'query')
    .map((parameter) => ({ parameter, schema: schemas.read(parameter.schema) }))
  const size = pageSizeOf(operation.parameters, schemas)
  const pages = placeOf(members, isPagesName, isCount) ?? headerIn(answer.headers, isPagesHeader)
  const namedLink = textAt(nodeAt(operation.node, 'x-ms-pageable'), 'nextLinkName')
  return {
    list,
    parameters,
    members,
    headers: answer.headers,
    ends: endsOf(members, answer.headers),
    ...(size && { size }),
    ...(pages !== undefined && { pages }),
    ...(namedLink !== undefined && { namedLink }),
  }
}

function endsOf(members: readonly BodyMember[], headers: readonly string[]): Search['ends'] {
  const total = placeOf(members.filter(mayBeTotal), isTotalName, isWhole) ?? headerIn(headers, isTotalHeader)
  const more = placeOf(members, isMoreName, isFlag)
  const done = more === undefined ? placeOf(members, isDoneName, isFlag) : undefined
  return {
    ...(total !== undefined && { total }),
    ...(more !== undefined && { more }),
    ...(done !== undefined && { more: done, moreIs: false }),
  }
}

/** A total of money ends no reading. */
const isWhole = (schema: Schema): boolean =>
  isCount(schema) &&
  !/float|double|decimal/.test(textAt(schema.words, 'format') ?? '') &&
  !/\b(amount|price|sum|cost|money|currency)\b/i.test(textAt(schema.words, 'description') ?? '')
const isFlag = ({ kinds }: Schema): boolean => kinds.includes('boolean')

/** A reading would end too early by the number of records in a page: only words can tell that `count` is of all. */
const mayBeTotal = ({ name, schema }: BodyMember): boolean =>
  !isCountOfPage(name) || /\b(total|all|overall|matching)\b/i.test(textAt(schema.words, 'description') ?? '')

const placeOf = (members: readonly BodyMember[], names: Names, fits: (schema: Schema) => boolean): string | undefined =>
  members.find(({ name, schema }) => names(name) && fits(schema))?.at

function headerIn(headers: readonly string[], names: Names): { readonly header: string } | undefined {
  const header = headers.find(names)
  return header === undefined ? undefined : { header }
}
