// A paginator, and the places that it reads, as a pipeline file writes them.
import type { Parameter } from '../../model/request.ts'
import type { FoundPaging, FoundRecords, LinkInList, Place, TypeTree } from '../found.ts'
import { call, memberOf, objectLiteral, quoted } from './text.ts'

/** A path of more names needs a function, because the compiler checks no longer ones. */
const MAX_NAMES = 3

/** Returns the call of a paginator. */
export function pagingText(paging: FoundPaging): string {
  switch (paging.type) {
    case 'one page':
      return call('onePage', objectLiteral({ atMost: numberText(paging.atMost) }))
    case 'page': {
      const start = paging.start === 1 ? undefined : String(paging.start)
      const options = { start, pages: placeText(paging.pages), ...endsText(paging) }
      return call('byPage', parameterText(paging.parameter), objectLiteral(options))
    }
    case 'offset': {
      const options = {
        start: paging.start === 0 ? undefined : String(paging.start),
        ...endsText(paging),
        limit: paging.limit === undefined ? undefined : quoted(paging.limit),
        overlap: paging.overlap === false ? 'false' : undefined,
      }
      return call('byOffset', parameterText(paging.parameter), objectLiteral(options))
    }
    case 'cursor':
      return call('byCursor', parameterText(paging.parameter), placeText(paging.at), objectLiteral(endsText(paging)))
    case 'last record':
      return call('byLastRecord', parameterText(paging.parameter), quoted(paging.at), objectLiteral(endsText(paging)))
    case 'next url':
      return call('byNextUrl', urlPlaceText(paging.at), objectLiteral(endsText(paging)))
    case 'continue':
      return call('byContinue', placeText(paging.at))
    case 'link header':
      return paging.rel === 'next' ? 'byLinkHeader()' : `byLinkHeader(${quoted(paging.rel)})`
    case 'header':
      return `byHeader(${parameterText(paging.parameter)}, ${quoted(paging.header)})`
  }
}

type Ends = Extract<FoundPaging, { type: 'page' }>

function endsText({
  total,
  more,
  moreIs,
}: Pick<Ends, 'total' | 'more' | 'moreIs'>): Record<string, string | undefined> {
  return { total: placeText(total), [moreIs === false ? 'done' : 'more']: placeText(more) }
}

const numberText = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value))

const parameterText = (parameter: Parameter): string =>
  typeof parameter === 'string' ? quoted(parameter) : `inHeader(${quoted(parameter.header)})`

function urlPlaceText(at: Place | LinkInList): string | undefined {
  if (typeof at === 'string' || 'header' in at) return placeText(at)
  // Null says that nothing follows; undefined would say that the place is missing.
  return `(body) => ${accessText(at.list)}?.find(({ ${at.rel} }) => ${at.rel} === 'next')?.${at.url} ?? null`
}

/** Returns a path in quotes, a function for a long one, or `inHeader(…)`. */
export function placeText(place: Place | undefined): string | undefined {
  if (place === undefined) return undefined
  if (typeof place === 'object') return `inHeader(${quoted(place.header)})`
  return namesOf(place).length <= MAX_NAMES ? quoted(place) : `(body) => ${accessText(place)}`
}

/** The last names may be missing on the last page. */
function accessText(path: string): string {
  const [first = '', ...rest] = namesOf(path)
  return rest.reduce(
    (text, name) => {
      const access = memberOf('', name)
      return `${text}?.${access.startsWith('.') ? access.slice(1) : access}`
    },
    memberOf('body', first),
  )
}

/** Returns the argument of `.records()`. */
export function recordsText(records: FoundRecords, record: string): string {
  const { at } = records
  switch (records.shape) {
    case 'list':
      return at === '' ? '' : (placeText(at) ?? '')
    case 'object':
      return at === '' ? '(body) => [body]' : `(body) => (body.${at} ? [body.${at}] : [])`
    case 'resources':
      return call(`fromResources<${record}>`, at === 'data' ? undefined : quoted(at))
    case 'members':
      return call(`fromMembers<${record}>`, quoted(at), objectLiteral({ key: quoted(records.key) }))
    case 'rows':
      return call(`fromRows<${record}>`, quoted(at), objectLiteral({ header: placeText(records.header) }))
  }
}

/** Returns the type of the body, as far as paging and records need it. */
export function bodyType(paging: FoundPaging, records: FoundRecords, record: TypeTree): TypeTree {
  let body: TypeTree | undefined
  const put = (place: Place | undefined, type: TypeTree, isOptional: boolean): void => {
    if (typeof place !== 'string' || place === '') return
    body = withMember(body ?? { kind: 'object', fields: [] }, namesOf(place), type, isOptional)
  }
  if (records.shape === 'list') put(records.at, { kind: 'list', of: record }, false)
  else if (records.shape === 'object') put(records.at, record, false)
  else put(records.at, { kind: 'unknown' }, false)
  if ('header' in records) put(records.header, { kind: 'unknown' }, false)
  if ('total' in paging) put(paging.total, COUNT, false)
  if ('more' in paging) put(paging.more, { kind: 'boolean' }, true)
  if (paging.type === 'page') put(paging.pages, COUNT, false)
  if (paging.type === 'cursor') put(paging.at, CURSOR, true)
  if (paging.type === 'continue') put(paging.at, MEMBERS, true)
  if (paging.type === 'next url') {
    if (typeof paging.at === 'object' && 'list' in paging.at) put(paging.at.list, linksType(paging.at), true)
    else put(paging.at, URL_TEXT, true)
  }
  if (records.at !== '') return body ?? { kind: 'unknown' }
  if (records.shape === 'list' || records.shape === 'object')
    return records.shape === 'list' ? { kind: 'list', of: record } : record
  return body ?? { kind: 'unknown' }
}

const linksType = ({ rel, url }: LinkInList): TypeTree => ({
  kind: 'list',
  of: { kind: 'object', fields: [rel, url].map((name) => ({ name, type: { kind: 'text' } })) },
})

const COUNT = { kind: 'number' } as const
const NULL = { kind: 'null' } as const
const MEMBERS: TypeTree = { kind: 'map', of: { kind: 'union', of: [{ kind: 'text' }, { kind: 'number' }] } }
const URL_TEXT: TypeTree = { kind: 'union', of: [{ kind: 'text' }, NULL] }
const CURSOR: TypeTree = { kind: 'union', of: [{ kind: 'text' }, { kind: 'number' }, NULL] }

function withMember(
  body: TypeTree,
  [name = '', ...rest]: readonly string[],
  type: TypeTree,
  isOptional: boolean,
): TypeTree {
  if (body.kind !== 'object') return body
  const known = body.fields.find((field) => field.name === name)
  const own =
    rest.length === 0 ? type : withMember(known?.type ?? { kind: 'object', fields: [] }, rest, type, isOptional)
  const field = { name, type: own, ...(isOptional && (known?.isOptional ?? true) && { isOptional: true }) }
  return {
    kind: 'object',
    fields: known ? body.fields.map((one) => (one === known ? field : one)) : [...body.fields, field],
  }
}

/** Names of a path. One that contains dots, such as `@odata.nextLink`, may be the last one. */
function namesOf(path: string): string[] {
  const odata = path.indexOf('@')
  if (odata < 0) return path.split('.')
  const before = path.slice(0, odata).replace(/\.$/, '')
  return [...(before === '' ? [] : before.split('.')), path.slice(odata)]
}
