// How many records a page may have: asked once, for more than the first page has.
import { saysThatAllCame } from './find-paging/find-paging.ts'
import type { Asked, Probing } from './find-paging/probing.ts'
import { sizeNames } from './find-paging/sizes.ts'
import type { ProbedPage } from './find-paging/page.ts'

export interface FoundPageSize {
  readonly parameter: string
  readonly size: number
  readonly page: ProbedPage
  readonly text: string
}

/** Pages with more are slow to try, and few APIs have them. */
const MOST = 500

/** Names that are tried at most beside a page number. */
const MAX_NAMES = 2
const USUAL = 100

/**
 * Requests a first page of another size where the first response was the whole list, and pages have a size only beside
 * their number. Undefined if the API does not give one.
 */
export async function findSizeOfPages(
  probing: Probing,
  { parameter, start }: { readonly parameter: string; readonly start: number },
): Promise<FoundPageSize | undefined> {
  if (probing.count <= USUAL) return undefined
  for (const name of sizeNames(probing, parameter).slice(0, MAX_NAMES)) {
    if (probing.left === 0) return undefined
    const { page, relation } = await probing.ask({ [parameter]: start, [name]: USUAL })
    if (relation.type === 'from' && relation.index === 0 && page.records.length === USUAL)
      return { parameter: name, size: USUAL, page, text: `${name}=${USUAL} gives ${USUAL}` }
  }
  return undefined
}

/** Requests a larger first page. Undefined if the API does not give one, or if the parameter is not known. */
export async function findPageSize(
  probing: Probing,
  {
    sizeParameter,
    parameter,
    isNeeded,
    keep,
  }: {
    readonly sizeParameter?: string | undefined
    /** The parameter of the page. */
    readonly parameter?: string | undefined
    /** The request needs a page size. */
    readonly isNeeded: boolean
    /** Requests that are left for others, if the first name has no effect. */
    readonly keep: number
  },
): Promise<FoundPageSize | undefined> {
  const wanted = probing.count < 100 ? 100 : MOST
  if (probing.left === 0 || probing.count >= MOST) return undefined
  const [name, ...others] = sizeParameter === undefined ? sizeNames(probing, parameter) : [sizeParameter]
  if (name === undefined) return undefined
  const { page, relation } = await probing.ask({ [name]: wanted })
  if (isLarger(probing, { page, relation })) return sizeFound(probing, { name, wanted, page })
  // All records came before, so a larger page cannot show itself.
  if (isFirst({ page, relation }) && page.records.length === probing.count && isNeeded)
    return { parameter: name, size: wanted, page, text: `${name}=${wanted} is accepted` }
  const isIgnored = isFirst({ page, relation }) && page.records.length === probing.count
  return isIgnored && !saysThatAllCame(probing) ? oneOf(others, probing, { wanted, keep }) : undefined
}

/** Sends several names at once, which costs one request if none has an effect. Then halves of them. */
async function oneOf(
  names: readonly string[],
  probing: Probing,
  { wanted, keep }: { readonly wanted: number; readonly keep: number },
): Promise<FoundPageSize | undefined> {
  if (names.length === 0 || probing.left <= keep) return undefined
  const asked = await probing.ask(Object.fromEntries(names.map((name) => [name, wanted])))
  if (!isLarger(probing, asked)) return undefined
  const [name = ''] = names
  if (names.length === 1) return sizeFound(probing, { name, wanted, page: asked.page })
  const half = Math.ceil(names.length / 2)
  return (
    (await oneOf(names.slice(0, half), probing, { wanted, keep })) ??
    (await oneOf(names.slice(half), probing, { wanted, keep }))
  )
}

/** A page that does not begin with the first record is another list. */
const isFirst = ({ relation }: Asked): boolean => relation.type === 'from' && relation.index === 0

const isLarger = (probing: Probing, asked: Asked): boolean =>
  isFirst(asked) && asked.page.records.length > probing.count

function sizeFound(
  { fields }: Probing,
  { name, wanted, page }: { readonly name: string; readonly wanted: number; readonly page: ProbedPage },
): FoundPageSize {
  const got = page.records.length
  // With so many, or an odd number, the list is at its end: that is no limit of the API.
  const isAll = got === Number(fields.total?.value) || got % 5 !== 0
  const size = isAll || got > wanted ? wanted : got
  const text = isAll || got === wanted ? `${name}=${wanted} gives ${got}` : `${name}=${wanted} gives ${got} at most`
  return { parameter: name, size, page, text }
}
