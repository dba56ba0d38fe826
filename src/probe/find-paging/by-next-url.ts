import { provenBy, type Style } from './probing.ts'

/** A URL of the next page in the body: `next`, `links.next`, `_links.next.href`, `@odata.nextLink`. */
export const byNextUrl: Style = (probing) =>
  probing.fields.urls.map(({ path, value }, index) => ({
    name: `the URL at '${path}'`,
    rank: 1 + index / 100,
    prove: async () => {
      const { page, relation } = await probing.follow(String(value))
      if (relation.type !== 'other') return undefined
      return { paging: { type: 'next url', at: path }, page, proof: provenBy('the page at that URL', page) }
    },
  }))
