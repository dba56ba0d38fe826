import type { SluiceError } from '../model/errors.ts'
import type { PageRequest } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'

/** Names a request in messages, without its parameters, which may be private. */
export const labelOf = ({ method, url }: PageRequest): string =>
  `${method} ${url === '' ? 'GraphQL' : url.split(/[?#]/, 1)[0]}`

/** Parameters that a message shows at most. */
const MAX_SHOWN = 10
/** A number, a word or a date. Other values may be private, or say nothing to a reader. */
const PLAIN = /^[\w.,:+ -]{0,40}$/

/** Returns the end of a message about a body without the records, as a wrong parameter may be why; '' for others. */
export const sentText = (error: SluiceError, request: PageRequest): string =>
  error.explanation === 'NO_RECORDS' ? queryText(request) : ''

/**
 * Returns the query of a request as the end of a message, as in `. The query that was sent: ?page=2&per_page=100`; ''
 * if it has none. Values that may be
 * private are left out, as in `?q=…`.
 */
export function queryText({ url, query }: PageRequest): string {
  const [, inUrl = ''] = url.split('#', 1)[0]?.split(/\?(.*)/s) ?? []
  const given = Object.entries(query).flatMap(([name, value]) => [value].flat().map((text) => [name, text] as const))
  const all = [...new URLSearchParams(inUrl), ...given]
  if (all.length === 0) return ''
  const shown = all.slice(0, MAX_SHOWN).map(([name, text]) => `${name}=${PLAIN.test(text) ? text : '…'}`)
  const text = `?${shown.join('&')}${all.length > MAX_SHOWN ? '&…' : ''}`
  return `. The query that was sent: ${redactUrl(text)}`
}

/** Returns the URL of a response without what looks like a credential. Known secrets have to be hidden as well. */
export const shownUrl = ({ url }: { readonly url: string }): string => redactUrl(url)
