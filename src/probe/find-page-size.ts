// How many records a page may have: asked once, for more than the first page has.
import type { Probing } from './find-paging/probing.ts'
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
  }: {
    readonly sizeParameter?: string | undefined
    /** The parameter of the page. */
    readonly parameter?: string | undefined
    /** The request needs a page size. */
    readonly isNeeded: boolean
  },
): Promise<FoundPageSize | undefined> {
  const wanted = probing.count < 100 ? 100 : MOST
  if (probing.left === 0 || probing.count >= MOST) return undefined
  const name = sizeParameter ?? sizeNames(probing, parameter)[0]
  if (name === undefined) return undefined
  const { page, relation } = await probing.ask({ [name]: wanted })
  const got = page.records.length
  // A page that does not begin with the first record is another list.
  if (relation.type !== 'from' || relation.index !== 0 || got < probing.count) return undefined
  // All records came before, so a larger page cannot show itself.
  if (got === probing.count)
    return isNeeded ? { parameter: name, size: wanted, page, text: `${name}=${wanted} is accepted` } : undefined
  // With so many, or an odd number, the list is at its end: that is no limit of the API.
  const isAll = got === Number(probing.fields.total?.value) || got % 5 !== 0
  const size = isAll || got > wanted ? wanted : got
  const text = isAll || got === wanted ? `${name}=${wanted} gives ${got}` : `${name}=${wanted} gives ${got} at most`
  return { parameter: name, size, page, text }
}
