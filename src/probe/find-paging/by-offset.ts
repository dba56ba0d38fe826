import { defined } from '../../value/defined.ts'
import { provenBy, type Probing, type Proven, type Style } from './probing.ts'
import { sizeNames } from './sizes.ts'
import { totalPlace } from './total-place.ts'

/** A number of records to skip, with a total or without. */
export const byOffset: Style = (probing) =>
  offsetNames(probing).map((parameter, index) => ({
    name: `the parameter ${parameter}`,
    rank: (isStated(probing) ? 4 : 21) + index / 100,
    prove: () => proveOffset(probing, parameter),
  }))

const isStated = ({ fields, options, first }: Probing): boolean =>
  fields.offset !== undefined ||
  first.answer.headers['content-range'] !== undefined ||
  Object.keys(options.given).some(isOffsetName)

export const isOffsetName = (name: string): boolean =>
  /^(\$skip|_?start|offset|skip|start_?(at|index)|from|page\[offset\])$/i.test(name)

function offsetNames({ options, fields, first }: Probing): string[] {
  const given = Object.keys(options.given).filter(isOffsetName)
  const stated = fields.offset ? [fields.offset.name] : []
  const isOdata = fields.total?.name === '@odata.count' || isOdataBody(first.answer.body)
  return [...new Set([...given, ...stated, ...(isOdata ? ['$skip'] : []), 'offset'])]
}

const isOdataBody = (body: unknown): boolean => typeof body === 'object' && body !== null && '@odata.context' in body

/**
 * Proves an offset by the last record of the first page: a page from there on must begin with it. A reading overlaps
 * its pages in this way, to notice a list that moves.
 */
export async function proveOffset(probing: Probing, parameter: string): Promise<Proven | undefined> {
  const { count } = probing
  if (count < 2) return undefined
  const start = startOf(probing)
  const [size = 'limit'] = sizeNames(probing, parameter)
  // Many APIs take an offset only beside a limit.
  const limit: Record<string, number> = size in probing.options.query ? {} : { [size]: count }
  const { page, relation } = await probing.ask({ ...limit, [parameter]: start + count - 1 })
  const paging = {
    type: 'offset',
    parameter,
    start,
    ...defined({ total: totalPlace(probing, page), more: moreOf(probing) }),
  } as const
  if (relation.type === 'from' && relation.index === count - 1) {
    const proof = `${parameter}=${start + count - 1} begins with the last record of the first page`
    const known = isUsual(size) ? {} : { limit: size }
    return { paging: { ...paging, ...known }, page, proof, query: limit }
  }
  // An API may round an offset to whole pages, or refuse another one.
  const isHopeless = relation.type === 'other' || relation.type === 'mixed' || probing.options.isExact === true
  if (isHopeless || probing.left === 0) return undefined
  const whole = await probing.ask({ ...limit, [parameter]: start + count })
  if (whole.relation.type !== 'other') return undefined
  return {
    paging: { ...paging, overlap: false },
    page: whole.page,
    query: limit,
    proof: `${provenBy(`${parameter}=${start + count}`, whole.page)}; only multiples of the page size are accepted`,
  }
}

const moreOf = ({ fields }: Probing): string | undefined => (fields.total === undefined ? fields.more?.path : undefined)

/** The first record may have the number 1, as SCIM and some search engines count. */
const startOf = ({ fields, options }: Probing): number => {
  const given = Object.entries(options.given).find(([name]) => isOffsetName(name))?.[1]
  return Number(fields.offset?.value ?? given ?? 0) === 1 ? 1 : 0
}

/** Names of the page size that a reading knows by itself. */
const isUsual = (name: string): boolean =>
  /^(limit|per_page|perPage|page_size|pageSize|max_results|maxResults|\$limit|\$top)$/.test(name) || name.includes('[')
