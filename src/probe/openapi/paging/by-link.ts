// Lists whose answer has the URL of the next page: in the header `Link`, or in the body.
import { textAt } from '../node.ts'
import type { Schema } from '../schema.ts'
import { isNextLink, plainName } from './names.ts'
import { clear, type PagingStated } from './paging-found.ts'
import type { Search } from './search.ts'
import type { BodyMember } from './search-body.ts'

/** The header `Link`. */
export const byLinkHeader = ({ headers }: Search): PagingStated | undefined =>
  headers.includes('link') ? clear({ type: 'link header', rel: 'next' }) : undefined

/** A member such as `links.next`. */
export function byNextUrl({ members, ends, namedLink }: Search): PagingStated | undefined {
  const at = namedLink ?? members.find((member) => isText(member.schema) && isNextUrl(member))?.at
  return at === undefined ? undefined : clear({ type: 'next url', at, ...ends })
}

const isText = ({ kinds }: Schema): boolean => kinds.length === 0 || kinds.includes('string')

/** A member `next` may be a cursor, too: its place, its format, its example or its words say that it is a URL. */
function isNextUrl({ at, name, schema, isLink }: BodyMember): boolean {
  // `_links.next.href`, `next.url`
  if (/^(href|url|uri)$/i.test(name)) return isNextLink(at.split('.').at(-2) ?? '')
  return isNextLink(name) && (isLink || /link|ur[il]|href/.test(plainName(name)) || isUrl(schema))
}

function isUrl({ words }: Schema): boolean {
  const format = textAt(words, 'format') ?? ''
  const example = [words['example'], words['examples'], words['default']].flat().find((one) => typeof one === 'string')
  return (
    /^(ur[il]|uri-reference|iri)$/.test(format) ||
    /^(https?:\/\/|\/)\S*/.test(example ?? '') ||
    /\b(url|uri|link|hyperlink)\b/i.test(textAt(words, 'description') ?? '')
  )
}
