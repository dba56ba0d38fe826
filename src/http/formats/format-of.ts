// Which format a body has: what the request says, else what the response says.
import type { Format } from '../../model/format.ts'

const JSON_FORMAT: Format = { type: 'json' }
const NDJSON: Format = { type: 'ndjson' }
const CSV: Format = { type: 'csv' }
const TSV: Format = { type: 'csv', delimiter: '\t' }
const XML: Format = { type: 'xml' }
const ZIP: Format = { type: 'zip' }

const BY_TYPE: Readonly<Record<string, Format | undefined>> = {
  'text/csv': CSV,
  'application/csv': CSV,
  'text/x-csv': CSV,
  'text/comma-separated-values': CSV,
  'text/tab-separated-values': TSV,
  'application/x-ndjson': NDJSON,
  'application/ndjson': NDJSON,
  'application/jsonl': NDJSON,
  'application/x-jsonl': NDJSON,
  'application/jsonlines': NDJSON,
  'application/x-jsonlines': NDJSON,
  'application/json-lines': NDJSON,
  'application/stream+json': NDJSON,
  'text/xml': XML,
  'application/xml': XML,
  'application/zip': ZIP,
  'application/x-zip-compressed': ZIP,
}
/** Types that say nothing of what is in a file: its name does. */
const FILES = new Set([
  '',
  'text/plain',
  'application/octet-stream',
  'binary/octet-stream',
  'application/gzip',
  'application/x-gzip',
])
const BY_ENDING: Readonly<Record<string, Format | undefined>> = {
  json: JSON_FORMAT,
  ndjson: NDJSON,
  jsonl: NDJSON,
  csv: CSV,
  tsv: TSV,
  xml: XML,
  zip: ZIP,
}

/** Returns the format that the name of a file says, also behind `.gz`; undefined if it says none. */
export function formatByName(name: string): Format | undefined {
  const bare = name.toLowerCase().replace(/\.(?:gz|zst)$/, '')
  return BY_ENDING[bare.slice(bare.lastIndexOf('.') + 1)]
}

/** Returns the format that a response states by its content type, or by the name of the file; else JSON. */
export function statedFormat(contentType: string | undefined, url: string): Format {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const known = BY_TYPE[type] ?? (/^application\/[\w.-]+\+xml$/.test(type) ? XML : undefined)
  if (known) return known
  return (FILES.has(type) ? formatByName(URL.parse(url)?.pathname ?? '') : undefined) ?? JSON_FORMAT
}

/** What a request accepts. An API that cannot answer so mostly answers in its own format. */
export function acceptOf(format: Format | undefined): string {
  switch (format?.type) {
    case undefined:
    case 'json':
      return 'application/json'
    case 'ndjson':
      return 'application/x-ndjson, application/jsonl, */*;q=0.5'
    case 'csv':
      return 'text/csv, */*;q=0.5'
    case 'xml':
      return 'application/xml, text/xml, */*;q=0.5'
    case 'zip':
      return 'application/zip, */*;q=0.5'
  }
}
