import type { Place } from '../found.ts'
import type { ProbedPage } from './page.ts'
import type { Probing } from './probing.ts'

/** Returns where the number of all records stands; undefined if fewer than two pages have are stated there. */
export function totalPlace(probing: Probing, second: ProbedPage): Place | undefined {
  const { fields, count, first } = probing
  const known = new Set(first.texts)
  const seen = count + second.texts.filter((text) => !known.has(text)).length
  if (fields.total) return Number(fields.total.value) >= seen ? fields.total.path : undefined
  return placeInHeader(probing, ['x-total-count', 'x-total', 'x-wp-total', 'x-pagination-total-count'])
}

/** Returns the first of these headers that has a number. */
export function placeInHeader({ first }: Probing, names: readonly string[]): Place | undefined {
  const header = names.find((name) => /^\d+$/.test(first.answer.headers[name] ?? ''))
  return header === undefined ? undefined : { header }
}
