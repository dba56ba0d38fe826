// What a probe has found: the pipeline file as data, and the facts for people.
import { formatCount } from '../value/format.ts'
import { findKey } from './find-key.ts'
import type { CursorField } from './find-cursor.ts'
import type { ProvenFilter } from './find-filter.ts'
import { findLimits } from './find-limits.ts'
import type { FoundPageSize } from './find-page-size.ts'
import type { PagingResult } from './find-paging/find-paging.ts'
import type { RecordsPlace } from './find-records.ts'
import type { Found, FoundAuth, FoundRecords, FoundStream, TypeTree } from './found.ts'
import { inferType } from './infer-type.ts'
import type { Answer } from './send.ts'
import { streamFor, type Target } from './target.ts'
import { memberOf } from './write/text.ts'
import { pagingText } from './write/write-paging.ts'

/** What was found, in one line. */
export interface Fact {
  readonly label: string
  readonly text: string
}

export interface FoundList {
  readonly paging: PagingResult
  readonly size: FoundPageSize | undefined
  readonly cursor: CursorField | undefined
  readonly filter: ProvenFilter | undefined
  /** What the API has said about parameters that might filter. */
  readonly said: string | undefined
  /** Different records of all pages. */
  readonly sample: readonly unknown[]
}

export interface FoundParts extends FoundList {
  readonly answer: Answer
  readonly place: RecordsPlace
  readonly target: Target
  readonly auth: readonly FoundAuth[]
  readonly headers: Readonly<Record<string, string>>
  readonly name: string
  readonly now: Date
}

/** Returns the pipeline file as data, and what it says in short. */
export function describeFound(parts: FoundParts): { found: Found; facts: Fact[] } {
  const { answer, place, target, auth, headers, name, now, paging, size, sample } = parts
  const listed = streamFor(target, place.records)
  const { key, questions } = findKey(sample, listed)
  const limits = findLimits(answer)
  const record = inferType(sample)
  const stream: FoundStream = {
    name: listed,
    path: target.path,
    query: queryOf(parts),
    records: paging.probing.options.records,
    paging: paging.paging,
    key,
    ...(parts.filter && { cursor: parts.filter.cursor }),
    record: record.kind === 'object' ? record : { kind: 'map', of: { kind: 'unknown' } },
    notes: [`The pages: ${paging.text}.`, ...(isCsv(answer) ? [TEXTS_ONLY] : []), ...nullNotes(record)],
    questions: [
      ...paging.questions,
      ...partsQuestions(parts),
      ...questions,
      ...recordsQuestions(place),
      ...cursorQuestions(parts),
    ],
  }
  const found: Found = {
    name,
    base: target.base,
    baseVariable: `${name
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]/g, '_')
      .replace(/^(\d)/, '_$1')}_API`,
    ...(auth.length > 0 && { auth }),
    headers,
    ...(limits?.rate && { rate: limits.rate }),
    about: [
      `Written by \`sluice probe\` on ${now.toISOString().slice(0, 10)}, from ` +
        `${formatCount(sample.length, 'record')} of ${target.base}${target.path}. Read it before you use it, ` +
        'and remove each QUESTION that you have answered.',
    ],
    streams: [stream],
  }
  const facts: Fact[] = [
    { label: 'records', text: recordsText(stream.records, sample.length, record) },
    { label: 'paging', text: paging.proven ? `${pagingText(paging.paging)}: ${paging.text}` : paging.text },
    ...(size ? [{ label: 'page size', text: size.text }] : []),
    { label: 'key', text: key.length > 0 ? `${key.join(', ')}, different in all of them` : 'none was found' },
    { label: 'cursor', text: cursorText(parts) },
    { label: 'format', text: answer.headers['content-type'] ?? 'no content type' },
    ...(limits ? [{ label: 'limits', text: `${limits.text}; a run obeys them` }] : []),
  ]
  return { found, facts }
}

const TEXTS_ONLY = 'All values are texts: declare `columns` for numbers and times.'

/** A field that was only ever null gets no column, which would surprise whoever looks for it. */
function nullNotes(record: TypeTree): string[] {
  const fields = record.kind === 'object' ? record.fields : []
  const names = fields.filter(({ type }) => type.kind === 'null').map((field) => field.name)
  return names.length === 0 ? [] : [`Null in all records seen, so no column until a value comes: ${names.join(', ')}.`]
}

const isCsv = ({ headers }: Answer): boolean => /csv|tab-separated/i.test(headers['content-type'] ?? '')

/** The query of the URL, with what paging and cursor need. */
function queryOf({ target, paging, size, filter }: FoundParts): NonNullable<FoundStream['query']> {
  const numbers = { ...paging.proven?.query, ...(size && { [size.parameter]: size.size }) }
  return { ...target.query, ...numbers, ...(filter && { [filter.parameter]: filter.value }) }
}

function recordsText(records: FoundRecords, count: number, type: TypeTree): string {
  const where = records.at === '' ? 'the body' : `'${records.at}'`
  const fields = type.kind === 'object' ? `, ${formatCount(type.fields.length, 'field')}` : ''
  const seen = `${formatCount(count, 'record')} seen${fields}`
  switch (records.shape) {
    case 'list':
      return `the list in ${where}; ${seen}`
    case 'object':
      return `one object, ${where}${fields}`
    case 'resources':
      return `JSON:API resources in ${where}; ${seen}`
    case 'members':
      return `the members of ${where}; ${seen}`
    case 'rows':
      return `rows of values in ${where}; ${seen}`
  }
}

function recordsQuestions({ records, others }: RecordsPlace): string[] {
  if (others.length === 0) return []
  const names = others.map((path) => `'${path}'`).join(', ')
  return records.shape === 'object'
    ? [`The response was taken for one record, because it has an id. Or are the records in ${names}?`]
    : [`The records were taken from '${records.at}'. Or are they in ${names}?`]
}

/** MediaWiki sends the values of `prop=…` in parts, each with the same records. */
const partsQuestions = ({ paging, target }: FoundParts): string[] =>
  paging.paging.type === 'continue' && 'prop' in (target.query ?? {})
    ? [
        'Do all values of `prop` come with each record? If there are more than the API sends at once, it sends ' +
          'the same record again with the others, and the last one is stored. A report counts such records as ' +
          "duplicates. Raise the limits of the properties, as in { cllimit: 'max' }.",
      ]
    : []

function cursorText({ cursor, filter }: FoundParts): string {
  if (!cursor) return 'no field tells when a record was changed'
  const order = cursor.order ? `, in ${cursor.order} order` : ''
  const what = `${cursor.field} (${cursor.format}${order})`
  if (filter) return `${what}; ${filter.parameter}=… leaves out older records`
  return cursor.isCreation ? `${what} tells the creation only` : `${what}; no parameter is known that filters by it`
}

const deletionQuestion = (parameter: string, flag: string): string =>
  `Should deleted rows go? With ${parameter}=… the API also returns records whose \`${flag}\` is true. Then add ` +
  `.deleted((record) => ${memberOf('record', flag)} === true) after .records(…). ` +
  'Now their rows stay, with that mark.'

function cursorQuestions({ cursor, filter, said }: FoundParts): string[] {
  if (filter?.deletedBy !== undefined) return [deletionQuestion(filter.parameter, filter.deletedBy)]
  if (!cursor || filter || cursor.isCreation) return []
  const refused = said === undefined ? '' : ` To usual names it says: ${said}.`
  const bound = cursor.unit === undefined ? 'since' : `${cursor.unit === 's' ? 'unix' : 'unixMs'}(since)`
  const unit = cursor.unit ? `, { unit: '${cursor.unit}' }` : ''
  return [
    `Can the API filter by \`${cursor.field}\`?${refused} Then add its parameter to the query, as in ` +
      `{ updated_since: ${bound} } or, if it takes a filter as one text, ` +
      `{ filter: text\`${cursor.field}>="\${${bound}}"\` } (import both words), and ` +
      `.incremental('${cursor.field}'${unit}) after .records(…), so that a run ` +
      'reads only what is new. Now each run reads everything.',
  ]
}
