// The parameter that holds the page size.
import type { Probing } from './probing.ts'

/** Returns names of the parameter, the likeliest first: those of the URL, of the response, and usual ones. */
export function sizeNames({ options, fields }: Probing, beside?: string): string[] {
  const given = Object.keys(options.given).filter(isSizeName)
  // SCIM states `itemsPerPage`, and takes `count`.
  const stated = fields.size && !/^items/i.test(fields.size.name) ? [fields.size.name] : []
  return [...new Set([...given, ...stated, ...besideName(beside), ...USUAL])]
}

const USUAL = ['limit', 'per_page', 'page_size', 'pageSize', 'perPage', 'size']

export const isSizeName = (name: string): boolean => SIZE.test(name)

const SIZE =
  /^(\$top|_?limit|_?per_?page|page_?size|page\[(size|limit)\]|max_?results|size|take|top|rows|count|_end|_size)$/i

/** Names that go together. */
function besideName(name: string | undefined): string[] {
  if (name === undefined) return []
  const known = TOGETHER[name]
  if (known !== undefined) return [known].flat()
  const bracket = /^(.+)\[[^\]]+\]$/.exec(name)
  if (bracket) return [`${bracket[1]}[size]`, `${bracket[1]}[limit]`]
  // MediaWiki: `apcontinue` stands beside `aplimit`.
  const list = /^([a-z]+)continue$/.exec(name)
  if (list) return [`${list[1]}limit`]
  // `pageNumber` stands beside `pageSize`, and `page_number` beside `page_size`.
  if (/number|index|no$/i.test(name)) return [name.replace(/number|index|no$/i, /[A-Z]/.test(name) ? 'Size' : 'size')]
  return []
}

const TOGETHER: Readonly<Record<string, string | readonly string[]>> = {
  page: ['per_page', 'limit', 'perPage', 'page_size'],
  _page: ['_per_page', '_limit'],
  _start: '_limit',
  offset: 'limit',
  skip: ['limit', 'take'],
  $skip: '$top',
  start: ['limit', 'rows'],
  startAt: 'maxResults',
  startIndex: 'count',
  from: 'size',
  starting_after: 'limit',
  first: 'max',
}
