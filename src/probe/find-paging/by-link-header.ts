import { linkTo } from '../../source/paging/link-header.ts'
import { provenBy, type Style } from './probing.ts'

/** `Link: <…>; rel="next"`. */
export const byLinkHeader: Style = (probing) => {
  const url = linkTo('next', probing.first.answer.headers['link'])
  if (url === undefined) return []
  return [
    {
      name: 'the Link header',
      rank: 0,
      prove: async () => {
        const { page, relation } = await probing.follow(url)
        if (relation.type !== 'other') return undefined
        return { paging: { type: 'link header', rel: 'next' }, page, proof: provenBy('the page behind its link', page) }
      },
    },
  ]
}
