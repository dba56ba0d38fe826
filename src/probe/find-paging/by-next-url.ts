import { isObject } from '../find-records.ts'
import type { LinkInList, Place } from '../found.ts'
import type { Answer } from '../send.ts'
import { isUrl } from './paging-fields.ts'
import { provenBy, type Candidate, type Probing, type Style } from './probing.ts'

/**
 * A URL of the next page in the body or in a header: `next`, `links.next`, `_links.next.href`, `@odata.nextLink`,
 * `Next-Page: https://…`.
 */
export const byNextUrl: Style = (probing) => [
  ...probing.fields.urls.map(({ path, value }, index) =>
    candidate(probing, path, String(value), { name: `the URL at '${path}'`, rank: 1 + index / 100 }),
  ),
  ...linksIn(probing.first.answer.body, '', 2).map(({ url, ...at }) =>
    candidate(probing, at.at, url, { name: `the link 'next' in '${at.at.list}'`, rank: 1.5 }),
  ),
  ...nextUrlHeaders(probing.first.answer).map(([header, url]) =>
    candidate(probing, { header }, url, { name: `the URL in the header '${header}'`, rank: 1.6 }),
  ),
]

/** Returns headers that hold the URL of the next page, as Kinto's `Next-Page`. */
export const nextUrlHeaders = ({ headers }: Pick<Answer, 'headers'>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    /next/i.test(name) && isUrl(value) ? [[name, value]] : [],
  )

const candidate = (
  probing: Probing,
  at: Place | LinkInList,
  url: string,
  named: Pick<Candidate, 'name' | 'rank'>,
): Candidate => ({
  ...named,
  prove: async () => {
    const { page, relation } = await probing.follow(url)
    if (relation.type !== 'other') return undefined
    return { paging: { type: 'next url', at }, page, proof: provenBy('the page at that URL', page) }
  },
})

interface Link {
  readonly at: LinkInList
  readonly url: string
}

/** Lists of links with their relations, as FHIR and PayPal have them. */
function linksIn(value: unknown, path: string, depth: number): Link[] {
  if (!isObject(value) || depth === 0) return []
  return Object.entries(value).flatMap(([name, member]): Link[] => {
    const list = path === '' ? name : `${path}.${name}`
    if (!Array.isArray(member)) return name.includes('.') ? [] : linksIn(member, list, depth - 1)
    for (const item of member as unknown[]) {
      if (!isObject(item)) return []
      const rel = (['rel', 'relation'] as const).find((one) => item[one] === 'next')
      const url = (['href', 'url', 'uri'] as const).find((one) => isUrl(item[one]))
      const value = url && item[url]
      if (rel && url && isUrl(value)) return [{ at: { list, rel, url }, url: value }]
    }
    return []
  })
}
