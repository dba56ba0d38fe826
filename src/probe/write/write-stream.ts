// One stream: its chain of words, and its entry in `streams`.
import { isBound } from '../../model/bounds-in.ts'
import type { Bound } from '../../model/request.ts'
import { formatText } from './write-format.ts'
import type { Found, FoundCursor, FoundStream } from '../found.ts'
import { pagingText, recordsText } from './write-paging.ts'
import { call, commentLines, LINE, memberName, memberOf, objectLiteral, quoted } from './text.ts'

/** The names that a file has for a stream. */
export interface StreamNames {
  readonly variable: string
  /** The variable of one record. */
  readonly item: string
  readonly record: string
  /** The type of the body. */
  readonly body: string
}

/** Returns the declaration of a stream's variable, with its questions before it. */
export function streamText(stream: FoundStream, own: StreamNames, parent: StreamNames | undefined): string {
  const notes = stream.notes ?? []
  const lines = [
    ...(stream.questions ?? []).flatMap((question) => commentLines(`QUESTION: ${question}`, '//')),
    ...(notes.length > 0 ? docComment(notes.join(' ')) : []),
  ]
  const chain = chainOf(stream, own, parent)
  if (!parent) return [...lines, `const ${own.variable} = api${chain.map((word) => `\n  ${word}`).join('')}`].join('\n')
  const keeps = Object.entries(stream.parent?.keeps ?? {})
  const kept = keeps.map(([name, from]) => `${memberName(name)}: ${memberOf(parent.item, from)}`)
  const words = kept.length > 0 ? [...chain, `.map((${own.item}) => ({ ...${own.item}, ${kept.join(', ')} }))`] : chain
  return [
    ...lines,
    `const ${own.variable} = ${parent.variable}.flatMap(`,
    `  (${parent.item}) =>`,
    `    api${words.map((word) => `\n      ${word}`).join('')},`,
    '  { concurrency: 4 },',
    ')',
  ].join('\n')
}

function docComment(text: string): string[] {
  if (text.length + 7 <= LINE) return [`/** ${text.replaceAll('*/', '* /')} */`]
  return ['/**', ...commentLines(text, ' *'), ' */']
}

function chainOf(stream: FoundStream, own: StreamNames, parent: StreamNames | undefined): string[] {
  return [
    requestText(stream, own, parent),
    `.pages(${pagingText(stream.paging)})`,
    `.records(${recordsText(stream.records, own.record)})`,
    ...(stream.cursor ? [cursorText(stream.cursor)] : []),
  ]
}

function requestText(stream: FoundStream, own: StreamNames, parent: StreamNames | undefined): string {
  const { method = 'GET', query, json, format } = stream
  const path = pathText(stream, parent)
  const parameters =
    query && objectLiteral(Object.fromEntries(Object.entries(query).map(([n, v]) => [n, valueText(v)])))
  const options = { format: format && formatText(format) }
  if (method === 'GET') return call(`.get<${own.body}>`, path, parameters, objectLiteral(options))
  const body = { json: json && valueText(json), query: parameters, ...options }
  return call(`.post<${own.body}>`, path, objectLiteral(body))
}

function pathText({ path, parent: above }: FoundStream, parent: StreamNames | undefined): string {
  if (!above || !parent) return quoted(path)
  const filled = path
    .replaceAll(/[`\\$]/g, String.raw`\$&`)
    // A parent without the value is rejected: an empty segment is an error of its record.
    .replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
      const field = above.parameters[name] ?? name
      return `\${${memberOf(parent.item, field)} ?? ''}`
    })
  return `path\`${filled}\``
}

/** Returns JSON, with bounds as words. */
function valueText(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (isBound(value)) return boundText(value)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item) ?? 'null').join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return objectLiteral(Object.fromEntries(Object.entries(value).map(([name, one]) => [name, valueText(one)])))
  return JSON.stringify(value)
}

const WORDS = { unix: 'unix', 'unix ms': 'unixMs', date: 'isoDate', number: 'asNumber', utc: 'utc' } as const

function boundText({ bound, as }: Bound): string {
  if (as === undefined) return bound
  if (typeof as === 'string') return `${WORDS[as]}(${bound})`
  return call('formatTime', bound, quoted(as.pattern), objectLiteral({ zone: quoted(as.zone) }))
}

function cursorText({ at, unit, order, startFrom, lookback }: FoundCursor): string {
  const options = {
    unit: unit && quoted(unit),
    order: order && quoted(order),
    startFrom: valueText(startFrom),
    lookback: valueText(lookback),
  }
  return call('.incremental', quoted(at), objectLiteral(options))
}

/** Returns the entry of a stream in `streams`. */
export function entryText(stream: FoundStream, { variable }: StreamNames, found: Found): string {
  const { key, columns, table = tableFor(found.name, stream.name) } = stream
  const write = stream.write ?? (key.length === 0 ? 'replace' : 'merge')
  const options = {
    key: keyText(key),
    write: write === 'merge' ? undefined : quoted(write),
    columns: columns && valueText(columns),
  }
  return `${memberName(stream.name)}: ${variable}${call('.into', quoted(table), objectLiteral(options))}`
}

function keyText([first, ...others]: readonly string[]): string | undefined {
  if (first === undefined) return undefined
  return others.length === 0 ? quoted(first) : `[${[first, ...others].map(quoted).join(', ')}]`
}

/** Returns the table of a stream that names none: `shop.orders`. */
export const tableFor = (pipeline: string, stream: string): string => `${tableName(pipeline)}.${tableName(stream)}`

const tableName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9_]+/g, '_')
