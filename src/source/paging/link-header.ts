/**
 * The target of the first link with a relation, as in `<https://…?page=2>; rel="next"`. Relations may stand unquoted or
 * several in one, names in any case, and a URL may hold commas and semicolons.
 */
export function linkTo(rel: string, header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  for (const [, url, parameters = ''] of header.matchAll(
    /<([^>]*)>((?:\s*;\s*[^;,="\s]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,"]*))?)*)/g,
  )) {
    for (const [, name = '', quoted, bare = ''] of parameters.matchAll(
      /;\s*([^;,="\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))/g,
    )) {
      if (
        name.toLowerCase() === 'rel' &&
        (quoted ?? bare).trim().toLowerCase().split(/\s+/).includes(rel.toLowerCase())
      )
        return url
    }
  }
  return undefined
}
