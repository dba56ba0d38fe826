import { isObject } from '../find-records.ts'
import type { FoundPaging } from '../found.ts'
import { provenBy, type Probing, type Proven, type Style } from './probing.ts'

/** Parameters that usually hold the id of the last record. */
const NAMES = ['starting_after', 'after', 'start_after', 'after_id', 'since_id', 'last_id']
const MAX_NAMES = 3

/** "Start after this record": the id of the last record is the cursor. */
export const byLastRecord: Style = (probing) => {
  const { options, fields, first } = probing
  const [field, ...others] = options.key
  const last = first.records.at(-1)
  if (field === undefined || others.length > 0 || !isObject(last) || options.records.shape !== 'list') return []
  const given = Object.keys(options.given).filter((name) => NAMES.includes(name.toLowerCase()))
  const hasMore = fields.more?.value === true
  return [
    {
      name: `the ${field} of the last record`,
      rank: hasMore || given.length > 0 ? 7 : 22,
      prove: async () => {
        for (const parameter of [...new Set([...given, ...NAMES])].slice(0, MAX_NAMES)) {
          if (probing.left === 0) return undefined
          const proven = await proveLast(probing, parameter, field)
          if (proven) return proven
        }
        return undefined
      },
    },
  ]
}

export async function proveLast(probing: Probing, parameter: string, field: string): Promise<Proven | undefined> {
  const { options, fields, first, count } = probing
  const last = first.records.at(-1)
  if (!isObject(last)) return undefined
  const { page, relation } = await probing.ask({ [parameter]: String(last[field]) })
  const at = options.records.at === '' ? field : `${options.records.at}.${field}`
  const paging = {
    type: 'last record',
    parameter,
    at,
    ...(fields.more && { more: fields.more.path }),
  } satisfies FoundPaging
  if (relation.type === 'other') return { paging, page, proof: provenBy(`${parameter}=${String(last[field])}`, page) }
  // Behind the last record of all there is an empty page. Behind another one there are those that follow it.
  const [middle] = first.records.slice(Math.floor(count / 2))
  if (relation.type !== 'empty' || !isObject(middle) || probing.left === 0 || count < 3) return undefined
  const again = await probing.ask({ [parameter]: String(middle[field]) })
  const index = Math.floor(count / 2) + 1
  if (again.relation.type !== 'from' || again.relation.index !== index) return undefined
  return { paging, page: again.page, proof: `${parameter}=${String(middle[field])} begins behind this record` }
}
