/** One link of a `Link` header, with all its parameters. A URL may hold commas and semicolons. */
const LINK = /<([^>]*)>((?:\s*;\s*[^;,="\s]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,"]*))?)*)/g
/** One parameter of a link: its name, and its value in quotes or without. */
const PARAMETER = /;\s*([^;,="\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))/g

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
