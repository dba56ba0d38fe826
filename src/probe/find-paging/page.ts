// A page that a probe has read, and how two of them compare.
import type { Answer } from '../send.ts'
import { isObject, recordsIn } from '../find-records.ts'
import type { FoundRecords } from '../found.ts'

export interface ProbedPage {
  readonly answer: Answer
  /** Empty if the answer is a failure, or has no records where the first page has them. */
  readonly records: readonly unknown[]
  /** True if it has a list of records, which may be empty. */
  readonly isPage: boolean
  /** What identifies each record: its key, or all of it. */
  readonly texts: readonly string[]
}

/** With a key, a record that has changed meanwhile, or has an age in it, is still the same. */
export function pageOf(answer: Answer, at: FoundRecords, key: readonly string[]): ProbedPage {
  const isSuccess = answer.error === undefined && answer.status >= 200 && answer.status < 300
  const records = isSuccess ? recordsIn(answer.body, at) : undefined
  return {
    answer,
    records: records ?? [],
    isPage: records !== undefined,
    texts: (records ?? []).map((record) => textOf(record, key)),
  }
}

function textOf(record: unknown, key: readonly string[]): string {
  const identity = key.length > 0 && isObject(record) ? key.map((field) => record[field]) : record
  return JSON.stringify(identity, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)) ?? ''
}

/** How a page stands to the first one. */
export type Relation =
  /** No record of it was on the first page. */
  | { readonly type: 'other' }
  /** It begins with this record of the first page, and goes on in its order. 0 is the first page itself. */
  | { readonly type: 'from'; readonly index: number }
  | { readonly type: 'empty' | 'mixed' | 'failed' }

/** Returns how a page stands to the first one: by their records, not by what the API says. */
export function relationOf(page: ProbedPage, first: ProbedPage): Relation {
  if (!page.isPage) return { type: 'failed' }
  if (page.texts.length === 0) return { type: 'empty' }
  const known = new Set(first.texts)
  if (page.texts.every((text) => !known.has(text))) return { type: 'other' }
  const index = first.texts.indexOf(page.texts[0] ?? '')
  const rest = first.texts.slice(index)
  const goesOn = index >= 0 && page.texts.every((text, at) => (at < rest.length ? text === rest[at] : !known.has(text)))
  return goesOn ? { type: 'from', index } : { type: 'mixed' }
}
