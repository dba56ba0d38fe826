// Errors beside the data of a GraphQL response: which records they concern.
import { HttpError } from '../model/errors.ts'
import type { GraphqlError, GraphqlErrors } from '../model/graphql.ts'
import { UnreadableRecord } from '../model/unreadable-record.ts'

/** Messages that a reading warns of. Each error of each record would be too many. */
const MAX_WARNINGS = 10

export interface PageErrorsOptions {
  /** @default 'fail' */
  readonly mode: GraphqlErrors | undefined
  readonly warn: (message: string) => void
}

interface PlacedErrors {
  /** Messages by the index of their record. */
  readonly byRecord: ReadonlyMap<number, readonly string[]>
  /** Errors that belong to no record. */
  readonly others: readonly string[]
}

/** Places the errors of the pages of one reading. */
export class PageErrors {
  readonly #options: PageErrorsOptions
  readonly #warned = new Set<string>()
  #reason: string | undefined

  constructor(options: PageErrorsOptions) {
    this.#options = options
  }

  /**
   * Returns the records of a page. With `reject`, the records of errors are replaced by rejects, and an error of no
   * record throws: the list itself may lack records. With `keep`, they stay as they came, and the errors are warned
   * of; a page without records has nothing to keep.
   */
  recordsOf(
    {
      body,
      status,
      errors,
    }: { readonly body: unknown; readonly status: number; readonly errors?: readonly GraphqlError[] },
    records: readonly unknown[],
  ): readonly unknown[] {
    this.#reason = undefined
    if (!errors || errors.length === 0) return records
    const { byRecord, others } = placeErrors(errors, body, records)
    if (this.#options.mode === 'keep' && records.length > 0) {
      for (const { message } of errors) this.#warn(message)
      if (others.length > 0) this.#reason = `it answered with GraphQL errors beside its records: ${others.join('; ')}`
      return records
    }
    if (others.length > 0)
      throw new HttpError(`GraphQL errors that belong to no record: ${others.join('; ')}`, { kind: 'graphql', status })
    return records.map((record, index) => {
      const messages = byRecord.get(index)
      return messages ? new UnreadableRecord(messages.join('; '), recordOf(record)) : record
    })
  }

  /** Why the last page may lack records, undefined if nothing says so. */
  get reason(): string | undefined {
    return this.#reason
  }

  #warn(message: string): void {
    if (this.#warned.has(message) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(message)
    this.#options.warn(`a GraphQL error is kept, and its value is null: ${message}`)
  }
}

/** Follows the path of each error through the data, until it comes to a record. */
function placeErrors(errors: readonly GraphqlError[], data: unknown, records: readonly unknown[]): PlacedErrors {
  const indexes = new Map(records.map((record, index) => [record, index]))
  const byRecord = new Map<number, string[]>()
  const others: string[] = []
  for (const { message, path } of errors) {
    const [index, inRecord] = recordAt(path, data, { records, indexes }) ?? []
    const text = (steps: GraphqlError['path']): string =>
      steps.length > 0 ? `${message} (at ${steps.join('.')})` : message
    if (index === undefined) others.push(text(path))
    else byRecord.set(index, [...(byRecord.get(index) ?? []), text(inRecord ?? [])])
  }
  return { byRecord, others }
}

/** Returns the index of the record that a path leads into, and the rest of the path. */
function recordAt(
  path: GraphqlError['path'],
  data: unknown,
  { records, indexes }: { readonly records: readonly unknown[]; readonly indexes: ReadonlyMap<unknown, number> },
): readonly [index: number, rest: GraphqlError['path']] | undefined {
  let value = data
  for (const [depth, step] of path.entries()) {
    const rest = path.slice(depth + 1)
    // An element of the list may be null, and nothing else tells it from another one.
    if (value === records && typeof step === 'number') return step < records.length ? [step, rest] : undefined
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Readonly<Record<string | number, unknown>>)[step]
    const index = typeof value === 'object' && value !== null ? indexes.get(value) : undefined
    if (index !== undefined) return [index, rest]
  }
  return undefined
}

const recordOf = (record: unknown): Readonly<Record<string, unknown>> =>
  typeof record === 'object' && record !== null && !Array.isArray(record)
    ? (record as Readonly<Record<string, unknown>>)
    : { value: record }
