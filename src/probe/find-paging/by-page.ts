import { defined } from '../../value/defined.ts'
import type { FoundPaging } from '../found.ts'
import type { ProbedPage, Relation } from './page.ts'
import { provenBy, type Probing, type Proven, type Style } from './probing.ts'
import { sizeNames } from './sizes.ts'
import { placeInHeader, totalPlace } from './total-place.ts'

/** A page number, with a number of pages or of records, with `has_more`, or with nothing at all. */
export const byPage: Style = (probing) =>
  pageNames(probing).map((parameter, index) => ({
    name: `the parameter ${parameter}`,
    rank: (isStated(probing) ? 5 : 20) + index / 100,
    prove: () => provePage(probing, parameter),
  }))

/** Page sizes that are tried at most. */
const MAX_SIZES = 2

/** True if the response or the URL shows that pages have numbers. */
const isStated = (probing: Probing): boolean => {
  const { fields, options, first } = probing
  return (
    isJsonApi(probing) ||
    fields.page !== undefined ||
    fields.pages !== undefined ||
    [...PAGES_HEADERS, 'x-page'].some((name) => first.answer.headers[name] !== undefined) ||
    Object.keys(options.given).some(isPageName)
  )
}

const isJsonApi = ({ options, first }: Probing): boolean =>
  options.records.shape === 'resources' || /vnd\.api\+json/.test(first.answer.headers['content-type'] ?? '')

const PAGES_HEADERS = ['x-total-pages', 'x-wp-totalpages', 'x-pagination-page-count']

export const isPageName = (name: string): boolean =>
  /^(_?page|p|paged|page_?(number|no|index)|page\[number\])$/i.test(name)

function pageNames(probing: Probing): string[] {
  const { options, fields } = probing
  const given = Object.keys(options.given).filter(isPageName)
  const stated = fields.page && /^page/i.test(fields.page.name) ? [fields.page.name] : []
  return [...new Set([...given, ...(isJsonApi(probing) ? ['page[number]'] : []), ...stated, 'page'])]
}

/** Proves a page number, and which number the first page has. */
export async function provePage(probing: Probing, parameter: string): Promise<Proven | undefined> {
  const stated = statedStart(probing)
  const number = (stated ?? 1) + 1
  const { page, relation } = await probing.ask({ [parameter]: number })
  // The whole list may stand on page 1, or come whatever the page is: smaller pages show whether the number counts.
  if (relation.type === 'empty' || isWhole(relation, page, probing)) return proveSmaller(probing, parameter, number)
  const paging = (start: number): FoundPaging => pagingOf(probing, parameter, start, page)
  // Without the parameter the whole list came: the place in it says which number the first page has.
  if (relation.type === 'from' && relation.index > 0) {
    const start = number - relation.index / page.records.length
    const proof = `${parameter}=${number} begins with record ${relation.index + 1}`
    return start === 0 || start === 1 ? { paging: paging(start), page, proof } : undefined
  }
  if (relation.type !== 'other') return undefined
  const proof = provenBy(`${parameter}=${number}`, page)
  if (probing.options.given[parameter] === '1') {
    // The first request has named page 1. If there is a page 0, that is the first one.
    const zero = probing.left === 0 ? undefined : await probing.ask({ [parameter]: 0 })
    return zero && { paging: paging(zero.relation.type === 'other' ? 0 : 1), page, proof }
  }
  const { knownStart } = probing.options
  if (knownStart !== undefined) return { paging: paging(knownStart), page, proof }
  if (stated !== undefined && Number(pageIn(probing, page)) === number) return { paging: paging(stated), page, proof }
  // If page 0 is the first one, page 1 is the second: a pipeline that began with page 1 would skip the first.
  for (const start of [1, 0].filter((one) => one !== number)) {
    if (probing.left === 0) return undefined
    const again = await probing.ask({ [parameter]: start })
    if (again.relation.type === 'from' && again.relation.index === 0)
      return { paging: paging(start), page, proof: `${proof}, and ${parameter}=${start} is the first page` }
  }
  return undefined
}

/** True if the page is the first one again. */
const isWhole = (relation: Relation, { records }: ProbedPage, { count }: Probing): boolean =>
  relation.type === 'from' && relation.index === 0 && records.length === count

/** Proves a page number beside a page size. */
async function proveSmaller(probing: Probing, parameter: string, number: number): Promise<Proven | undefined> {
  const size = Math.floor(probing.count / 3)
  if (size === 0 || !probing.isWorthSizes) return undefined
  for (const name of sizeNames(probing, parameter).slice(0, MAX_SIZES)) {
    if (probing.left === 0) return undefined
    const { page, relation } = await probing.ask({ [parameter]: number, [name]: size })
    if (relation.type !== 'from' || relation.index === 0 || page.records.length !== size) continue
    const start = number - relation.index / size
    if (start !== 0 && start !== 1) return undefined
    const proof = `${parameter}=${number}&${name}=${size} begins with record ${relation.index + 1}`
    const query = { [name]: Math.max(100, probing.count) }
    return { paging: pagingOf(probing, parameter, start, page), page, proof, sizeParameter: name, query }
  }
  return undefined
}

/** Returns the number that the first page has by its own word, or by that of the URL. */
function statedStart({ fields, first, options }: Probing): number | undefined {
  const { headers } = first.answer
  const given = Object.entries(options.given).find(([name]) => isPageName(name))?.[1]
  const number = Number(fields.page?.value ?? headers['x-page'] ?? headers['x-current-page'] ?? given ?? Number.NaN)
  return number === 0 || number === 1 ? number : undefined
}

const pageIn = (probing: Probing, page: Proven['page']): unknown =>
  probing.fieldsOf(page).page?.value ?? page.answer.headers['x-page'] ?? page.answer.headers['x-current-page']

function pagingOf(probing: Probing, parameter: string, start: number, second: Proven['page']): FoundPaging {
  const { fields } = probing
  const total = totalPlace(probing, second)
  // A `total` below the records of two pages counts pages.
  const isTotalOfPages = fields.total !== undefined && total === undefined && fields.pages === undefined
  const pages =
    fields.pages?.path ?? placeInHeader(probing, PAGES_HEADERS) ?? (isTotalOfPages ? fields.total?.path : undefined)
  const more = fields.more ?? fields.done
  const isMore = pages === undefined && more !== undefined
  return {
    type: 'page',
    parameter,
    start,
    ...defined({ pages, total, more: isMore ? more.path : undefined }),
    ...(isMore && more === fields.done && { moreIs: false }),
  }
}
