// Numbers of records that a response states, whether the paginator reads them or not.
import type { ApiResponse } from '../../model/request.ts'

const NAMES = /^(x-)?(wp-)?(total|count|num_?found|total[_-]?(count|records|results|items|elements|hits|rows|size))$/i
const MAX_DEPTH = 2

/**
 * Returns the stated numbers by their places, such as `'meta.total'`. A number that equals the records of the page, or
 * the length of a list in its body, is left out: it may be the size of the page, which differs on the last one.
 */
export function statedCounts({ body, headers, records }: ApiResponse<unknown>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const add = (name: string, value: unknown): void => {
    const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
    if (typeof count === 'number' && Number.isSafeInteger(count) && count !== records.length) counts.set(name, count)
  }
  for (const [name, value] of Object.entries(headers)) if (NAMES.test(name)) add(`the header '${name}'`, value)
  const range = /\/(\d{1,15})\s*$/.exec(headers['content-range'] ?? '')
  if (range) add("the header 'content-range'", range[1])
  const sizes = new Set<number>()
  search(body, '', MAX_DEPTH, { add, sizes, record: records.length === 1 ? records[0] : undefined })
  for (const [name, count] of counts) if (sizes.has(count)) counts.delete(name)
  return counts
}

/** True if a number that both have is another one. */
export const isOther = (counts: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): boolean =>
  [...counts].some(([name, count]) => (before.get(name) ?? count) !== count)

interface Found {
  readonly add: (name: string, value: unknown) => void
  /** Lengths of lists. */
  readonly sizes: Set<number>
  /** The only record: its numbers count something else. */
  readonly record: unknown
}

function search(value: unknown, path: string, depth: number, found: Found): void {
  if (Array.isArray(value)) found.sizes.add(value.length)
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return
  if (value === found.record) return
  for (const [name, member] of Object.entries(value)) {
    if (NAMES.test(name)) found.add(`'${path}${name}'`, member)
    else search(member, `${path}${name}.`, depth - 1, found)
  }
}
