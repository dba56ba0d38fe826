// Sorts the operations of a description: which ones are lists, and which are left out, and why.
import { defined } from '../../value/defined.ts'
import type { Description } from './description.ts'
import { findRecords, type LeftOutReason } from './find-records.ts'
import { isNode, listAt } from './node.ts'
import { answerOf, isJson, type Operation, operationsOf } from './operations.ts'
import { isPaged } from './paging/paging.ts'
import type { ListAnswer } from './paging/search.ts'
import { flatResource } from './resources.ts'
import type { Schemas } from './schema.ts'
import { streamNames } from './names.ts'

/** An operation whose answer is a list of records. */
export interface ListOperation extends ListAnswer {
  /** The name of its stream. */
  readonly name: string
  /** Other lists in its answer. */
  readonly others: readonly string[]
  /** The name in braces by which one of its records is read: `id` of `/orders/{id}`. @default no such path */
  readonly addressedBy?: string
}

export interface LeftOut {
  /** Such as `GET /users/{id}`. */
  readonly operation: string
  /** Says the same of all operations with this reason. */
  readonly reason: string
  /** Of a list that is read once its parameters have values. @default it is no such list */
  readonly needs?: { readonly name: string; readonly path: string; readonly parameters: readonly string[] }
}

const REASONS: Readonly<Record<LeftOutReason, string>> = {
  'one record': 'one record, not a list',
  'a list of values': 'values, not records',
  'an answer without a type': 'an answer whose type the description does not state',
  'an object without a list': 'an object without a list of records',
  'values by their names': 'an object whose names are data: fromMembers() reads it',
}

/** Returns the lists of a description, and the operations that are none. */
export function listsOf(description: Description, schemas: Schemas): { lists: ListOperation[]; leftOut: LeftOut[] } {
  const leftOut: LeftOut[] = []
  const lists: Omit<ListOperation, 'name'>[] = []
  const single = new Map<string, string>()
  for (const operation of operationsOf(description)) {
    const found = operation.method === 'GET' ? listOf(operation, description, schemas) : notRead(operation)
    if (found === REASONS['one record']) {
      const [, list, name] = /^(.*)\/\{([^{}]+)\}\/?$/.exec(operation.path) ?? []
      if (list !== undefined && name !== undefined) single.set(samePath(list), name)
    }
    if (typeof found === 'string') leftOut.push({ operation: `${operation.method} ${operation.path}`, reason: found })
    else lists.push(found)
  }
  const names = streamNames(lists.map(({ operation }) => operation.path))
  return {
    lists: lists.map((list) => ({
      ...list,
      name: names.get(list.operation.path) ?? 'records',
      ...defined({ addressedBy: single.get(samePath(list.operation.path)) }),
    })),
    leftOut,
  }
}

/** The names in braces may differ. */
const samePath = (path: string): string => path.replaceAll(/\{[^{}]*\}/g, '{}').replace(/\/$/, '')

/** Lists that are read by POST exist, and their bodies are not described as lists are. */
const notRead = ({ method, path }: Operation): string =>
  method === 'POST' && /search|query|list|find|report/i.test(path)
    ? 'a list by POST, perhaps: api.post() reads it'
    : 'no list: it is not read by GET'

function listOf(
  operation: Operation,
  description: Description,
  schemas: Schemas,
): Omit<ListOperation, 'name'> | string {
  const answer = answerOf(operation, description)
  if (answer.contentType !== undefined && !isJson(answer.contentType)) return `answers ${plainType(answer.contentType)}`
  if (answer.schema === undefined) return REASONS['an answer without a type']
  const body = schemas.read(answer.schema)
  const found = findRecords(body, { path: operation.path, isPaged: isPaged(operation) }, schemas)
  if (!found.isList) return REASONS[found.reason]
  const { records, others } = found
  const record = records.shape === 'resources' ? flatResource(found.record, schemas) : found.record
  return { operation, answer, body, records, record, others }
}

const plainType = (contentType: string): string => contentType.split(';')[0] ?? contentType

/** True if the operation is on another server than the rest of the API. */
export const hasOwnServer = ({ node }: Operation): boolean => listAt(node, 'servers').some(isNode)
