// The page size that a request asks for, by the parameter that states it.
import { PAGE_SIZE_NAMES } from '../../model/page-size-names.ts'
import type { PageRequest, Parameter } from '../../model/request.ts'
import { parameterOf } from './parameter.ts'

/** Parameters that some paginators have: that of the page, and that of the page size. */
interface Parameters {
  readonly parameter?: Parameter
  readonly limit?: string
}

/**
 * Returns the page size that a request asks for, undefined if it is unknown. A usual name may also stand beside the
 * parameter of the page, as in `page.offset` and `page.limit`, or `page[number]` and `page[size]`.
 */
export function pageSizeOf(request: PageRequest, paging: object): number | undefined {
  const { parameter, limit }: Parameters = paging
  const names = limit === undefined ? [...PAGE_SIZE_NAMES, ...namesBeside(parameter)] : [limit]
  const inUrl = new URLSearchParams(request.url.split('?', 2)[1])
  const sizes = new Set(
    names.map((name) => sizeFrom(parameterOf(request, name) ?? inUrl.get(name))).filter((size) => size !== undefined),
  )
  // Two sizes that differ leave open which one the API takes.
  return sizes.size === 1 ? [...sizes][0] : undefined
}

function namesBeside(parameter: Parameter | undefined): string[] {
  if (typeof parameter !== 'string') return []
  const beside = /^(.*\.)[^.]+()$|^(.*\[)[^[\]]+(\])$/.exec(parameter)
  if (!beside) return []
  const [, parent = '', , bracket = '', closing = ''] = beside
  // Beside the parameter of the page, `size` is no filter.
  return [...PAGE_SIZE_NAMES, 'size'].map((name) => parent + bracket + name + closing)
}

function sizeFrom(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const size = value === '' ? Number.NaN : Number(value)
  return Number.isSafeInteger(size) && size > 0 ? size : undefined
}
