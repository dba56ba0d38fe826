// Reads a list of answers by a paginator, and compares the grade of the reading with the expected one.
import { expect } from '@jest/globals'
import { http } from '../../../src/index.ts'
import { worstOf, type Completeness } from '../../../src/model/completeness.ts'
import { messageOf } from '../../../src/value/error.ts'
import { apiServer, type ApiAnswer } from '../../support/api-server.ts'
import { readPages, type ReadingOptions } from '../read-pages.ts'

/** Records `from` to `to - 1`, beside other members of the body. */
export const rows = (
  from: number,
  to: number,
  members: object = {},
  headers: Record<string, string> = {},
): ApiAnswer => ({
  json: { items: Array.from({ length: to - from }, (_, index) => ({ id: from + index })), ...members },
  headers,
})
export const none = (members: object = {}, headers: Record<string, string> = {}): ApiAnswer =>
  rows(0, 0, members, headers)
export const gone: ApiAnswer = { status: 404, json: {} }

/** 'counted', 'ended', or a part of the reason of `open`; a regular expression is that of an error. */
type Outcome = string | RegExp
export type Case = [answers: ApiAnswer[], outcome: Outcome, options?: { limit?: number | undefined } & ReadingOptions]

/**
 * Reads the answers in their order, and in each pass from the first one on. Offsets do not overlap, because the answers
 * are not parts of one list. Returns the grade of the reading, with all reasons; or its error.
 */
export async function gradeOf(
  paging: unknown,
  [answers, , { limit = 10, ...options } = {}]: Case,
): Promise<{ grade: string; reason: string }> {
  let next = 0
  await using server = await apiServer(({ query }) => {
    const isFirst = [...query.keys()].join() === 'limit'
    if (isFirst || query.get('page') === '1' || query.get('offset') === '0') next = 0
    return answers[Math.min(next++, answers.length - 1)] ?? {}
  })
  const records = http(server.origin, { concurrency: 1, attempts: 1 })
    .get<{ items: { id: number }[] }>('/x', limit > 0 ? { limit } : {}, { emptyOn: [404] })
    .pages((isOffset(paging) ? { ...paging, overlap: false } : paging) as never)
    .records((body) => body.items)
  try {
    const pages = await readPages(records, { key: ['id'], ...options })
    if (!pages.at(-1)?.completeness) return { grade: 'none', reason: '' }
    const { grade, reasons } = pages.reduce<Completeness>(
      (worst, { completeness }) => worstOf(worst, completeness) ?? worst,
      { grade: 'counted', reasons: [] },
    )
    return { grade, reason: reasons.join('; ') }
  } catch (error) {
    return { grade: 'error', reason: messageOf(error) }
  }
}

const isOffset = (paging: unknown): paging is object =>
  typeof paging === 'object' && paging !== null && 'type' in paging && paging.type === 'offset'

/** The outcome that `gradeOf` should return. */
export function graded(outcome: Outcome): { grade: string; reason: unknown } {
  if (outcome instanceof RegExp) return { grade: 'error', reason: expect.stringMatching(outcome) }
  if (outcome === 'counted' || outcome === 'ended') return { grade: outcome, reason: '' }
  return { grade: 'open', reason: expect.stringContaining(outcome) }
}

export const total = (count: number | string): Record<string, string> => ({ 'x-total-count': String(count) })
export const noSize = { limit: 0 }
