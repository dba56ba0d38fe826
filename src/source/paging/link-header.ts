/** One link of a `Link` header, with all its parameters. A URL may hold commas and semicolons. */
const LINK = /<([^>]*)>((?:\s*;\s*[^;,="\s]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,"]*))?)*)/g
/** One parameter of a link: its name, and its value in quotes or without. */
const PARAMETER = /;\s*([^;,="\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))/g

/**
 * Returns the number of pages from this one to the one that `rel="last"` names, undefined if it is not known. The one
 * parameter that differs between the links to the next and to the last page counts pages or records.
 */
export function pagesToLast(header: string | undefined, url: string): number | undefined {
  const next = queryOf(linkTo('next', header), url)
  const last = queryOf(linkTo('last', header), url)
  if (!next || !last) return undefined
  const [name, ...others] = [...last.keys()].filter((key) => last.get(key) !== next.get(key))
  if (name === undefined) return 2
  const from = Number(next.get(name))
  const current = new URL(url).searchParams.get(name)
  // Without the parameter this is page 1 or 0, or the offset 0.
  const step = from - Number(current ?? (from === 2 ? 1 : 0))
  const pages = Math.floor((Number(last.get(name)) - from) / step) + 2
  return others.length === 0 && step > 0 && pages > 1 && Number.isSafeInteger(pages) ? pages : undefined
}

/**
 * Returns how far the page of `rel="last"` is behind the one with this URL, in pages or records. Undefined if it is the
 * same page, or if more than one parameter differs.
 */
export function pagesBehind(header: string | undefined, url: string): number | undefined {
  const last = queryOf(linkTo('last', header), url)
  const current = URL.parse(url)?.searchParams
  if (!last || !current) return undefined
  const [name, ...others] = [...last.keys()].filter((key) => last.get(key) !== current.get(key))
  if (name === undefined || others.length > 0 || !current.has(name)) return undefined
  const behind = Number(last.get(name)) - Number(current.get(name))
  return Number.isSafeInteger(behind) && behind > 0 ? behind : undefined
}

const queryOf = (url: string | undefined, base: string): URLSearchParams | undefined =>
  url === undefined ? undefined : URL.parse(url, base)?.searchParams

/**
 * Returns the URL of the first link with a relation, as in `<https://…?page=2>; rel="next"`. The case of names does not
 * matter, and one `rel` may list several relations.
 */
export function linkTo(rel: string, header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  for (const [, url, parameters = ''] of header.matchAll(LINK)) {
    for (const [, name = '', quoted, bare = ''] of parameters.matchAll(PARAMETER)) {
      const relations = (quoted ?? bare).trim().toLowerCase().split(/\s+/)
      if (name.toLowerCase() === 'rel' && relations.includes(rel.toLowerCase())) return url
    }
  }
  return undefined
}
