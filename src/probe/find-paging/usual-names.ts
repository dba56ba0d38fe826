// A list that shows no way on: usual parameters, several at once first, so that few requests find nothing.
import { findRecords, isObject } from '../find-records.ts'
import type { FoundRecords } from '../found.ts'
import { proveLast } from './by-last-record.ts'
import { proveOffset } from './by-offset.ts'
import { provePage } from './by-page.ts'
import type { ProbedPage } from './page.ts'
import type { Probing, Proven } from './probing.ts'

interface Group {
  readonly names: readonly string[]
  /** The value that all of them get; undefined if the list is too short. */
  readonly value: (probing: Probing) => string | number | undefined
  /** The page size that is sent beside them, by these names. */
  readonly size?: (probing: Probing) => number
  readonly sizes?: readonly string[]
  readonly prove: (probing: Probing, name: string) => Promise<Proven | undefined>
}

const GROUPS: readonly Group[] = [
  {
    names: ['page', '_page', 'pageNumber', 'p'],
    value: () => 2,
    size: ({ count }) => Math.max(1, Math.floor(count / 3)),
    // json-server takes `_limit` for a list without pages.
    sizes: ['limit', 'per_page', '_per_page', 'page_size', 'pageSize'],
    prove: provePageBeside,
  },
  {
    names: ['offset', 'skip', 'start', '_start'],
    value: ({ count }) => (count < 2 ? undefined : count - 1),
    size: ({ count }) => count,
    sizes: ['limit', '_limit'],
    prove: proveOffset,
  },
  {
    names: ['starting_after', 'after', 'after_id', 'since_id'],
    value: (probing) => lastId(probing),
    prove: async (probing, name) => {
      const [field] = probing.options.key
      return field === undefined ? undefined : proveLast(probing, name, field)
    },
  },
]

export interface UsualNames {
  readonly proven: Proven
  /** The first page that it was proven with. */
  readonly probing: Probing
}

/**
 * Tries usual names of parameters. A group that changes nothing costs one request. `proveStated` proves what a response
 * states: a smaller page may have a link that a whole list has not.
 */
export async function tryUsualNames(
  probing: Probing,
  tried: string[],
  proveStated: (smaller: Probing) => Promise<Proven | undefined>,
): Promise<UsualNames | undefined> {
  for (const { names, value: valueFor, size, sizes: sizesOf = [], prove } of GROUPS) {
    const value = valueFor(probing)
    if (value === undefined || probing.left === 0) continue
    tried.push(...names)
    const sizes = Object.fromEntries(size ? sizesOf.map((name) => [name, size(probing)]) : [])
    const values = Object.fromEntries(names.map((name) => [name, value]))
    const { page, relation } = await probing.ask({ ...sizes, ...values })
    const paged = otherShape(probing, page)
    if (paged) return provenInOtherShape(probing, paged, textsOf(sizes))
    if (relation.type === 'from' && relation.index === 0) {
      // Only the page size counts, or nothing does.
      const smaller = page.records.length < probing.count ? probing.withPages(page, textsOf(sizes)) : undefined
      const proven = smaller && leadsOn(smaller) ? await proveStated(smaller) : undefined
      if (smaller && proven) return { proven, probing: smaller }
      continue
    }
    // What has happened by all names together, one of them does alone.
    const isFromMiddle = relation.type === 'from'
    const worth = probing.with({ isWorthSizes: isFromMiddle, isExact: isFromMiddle, beside: isFromMiddle ? sizes : {} })
    // A strict API refuses names that it does not know, so the likeliest one is tried by itself.
    for (const name of relation.type === 'failed' ? names.slice(0, 1) : names) {
      if (probing.left === 0) return undefined
      const proven = await prove(worth, name)
      if (proven) return { proven, probing }
    }
  }
  return undefined
}

/** Proves a page number; at first beside the page sizes that have changed the answer for all names together. */
async function provePageBeside(probing: Probing, name: string): Promise<Proven | undefined> {
  const { beside = {} } = probing.options
  if (Object.keys(beside).length === 0) return provePage(probing, name)
  const { page, relation } = await probing.ask({ ...beside, [name]: 2 })
  if (relation.type !== 'from' || relation.index === 0 || probing.left === 0) return undefined
  // Page 2 of small pages has shown which number the first page has.
  const start = 2 - relation.index / page.records.length
  return start === 0 || start === 1 ? provePage(probing.with({ knownStart: start }), name) : undefined
}

const leadsOn = ({ fields, first }: Probing): boolean =>
  fields.urls.length > 0 ||
  fields.cursors.length > 0 ||
  Object.keys(first.answer.headers).some((name) => name === 'link' || /next|continuation/.test(name))

const textsOf = (numbers: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)]))

/** Returns the place of the records if the page has them elsewhere, as json-server answers to `_page`. */
function otherShape({ options }: Probing, { answer, isPage }: ProbedPage): FoundRecords | undefined {
  if (isPage || answer.status !== 200 || options.records.at !== '') return undefined
  const place = findRecords(answer.body)
  return place?.records.shape === 'list' && place.records.at !== '' ? place.records : undefined
}

/** Proves a page number that makes the answer another one: its first page is requested anew. */
async function provenInOtherShape(
  probing: Probing,
  records: FoundRecords,
  sizes: Readonly<Record<string, string>>,
): Promise<UsualNames | undefined> {
  const small = probing.with({ records, query: { ...probing.options.query, ...sizes } })
  for (const name of ['_page', 'page']) {
    if (probing.left < 2) return undefined
    const { page } = await small.ask({ [name]: 1 })
    if (!page.isPage || page.records.length === 0) continue
    const paged = small.with({ answer: page.answer, given: { ...probing.options.given, [name]: '1' } })
    const proven = await provePage(paged, name)
    if (proven) return { proven, probing: paged }
  }
  return undefined
}

function lastId({ first, options }: Probing): string | undefined {
  const [field, ...others] = options.key
  const last = first.records.at(-1)
  if (field === undefined || others.length > 0 || !isObject(last)) return undefined
  const value = last[field]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
