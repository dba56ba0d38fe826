import {
  DEFAULT_LOOKBACK,
  isMerged,
  type Batching,
  type Download,
  type HttpSource,
  type Incremental,
  type Recipe,
  type Stage,
} from '../model/recipe.ts'
import { timeFormText } from '../value/time-form.ts'
import { isCondition, testText, type InCondition } from '../model/condition.ts'
import type { FileParts } from '../model/file-part.ts'
import { formatText } from '../model/format.ts'
import { shapeText } from '../model/records-shape.ts'
import type { Delta, InResponse, Paging, Parameter, Request } from '../model/request.ts'
import { isBound, isBoundText } from '../model/bounds-in.ts'
import { limitsText } from '../model/rate-limits.ts'
import { rulesOfRequest, ruleText } from '../model/response-rule.ts'
import { graphqlFacts, jobLines, type Wording } from './describe-parts.ts'
import { functionsIn } from './data.ts'
import { accountsText } from './accounts/accounts.ts'
import type { AccountsPipeline, Pipeline } from './pipeline.ts'
import { tableText } from './table/describe-table.ts'
import { whenText } from './schedule/schedule.ts'

/**
 * Returns a description of a pipeline for people, as `sluice list --verbose` prints it. Nothing is requested.
 *
 * @example
 * console.log(describePipeline(billing))
 */
export function describePipeline(definition: Pipeline | AccountsPipeline): string {
  const { name, ...more } = definition
  if ('for' in definition) return `${name}  ${whenText(more)}\n  ${accountsText(definition.for)}`
  const flows = Object.entries(definition.streams).flatMap(([stream, { recipe, table }]) => [
    `  ${stream} -> ${tableText(table)}`,
    ...describeRecipe(recipe, { isMerged: isMerged(table) }).map((line) => `    ${line}`),
  ])
  return [`${name}  ${whenText(more)}`, ...flows].join('\n')
}

/** Returns the lines that describe a recipe. `isMerged`: its rows are merged. */
function describeRecipe({ source, incremental, stages }: Recipe, { isMerged }: { isMerged: boolean }): string[] {
  const rules = 'read' in source ? [] : [...rulesOfRequest(source.request), ...(source.api.responseRules ?? [])]
  const lines =
    'read' in source
      ? [line('source', functionText(source.read))]
      : [
          `${source.request.method} ${source.api.base}${requestText(source.request)}`,
          ...(source.request.rate ? [line('rate', limitsText(source.request.rate))] : []),
          ...(source.request.format ? [line('format', formatText(source.request.format))] : []),
          ...graphqlFacts(source.request).map(([what, text]) => line(what, text)),
          ...(source.job
            ? jobLines(source.job, WORDING)
            : [
                line(
                  'pages',
                  pagingText(source.paging) + (source.firstPage ? ', the first one came with the parent' : ''),
                ),
                line('records', recordsText(source.records) + (source.optional ? ', if there' : '')),
              ]),
          ...rules.map((rule) => line('rule', ruleText(rule))),
        ]
  if ('api' in source && source.ifChanged) lines.push(line('cursor', 'ETag and Last-Modified of the last reading'))
  if ('api' in source && source.delta) lines.push(line('cursor', deltaText(source.delta)))
  if (incremental) {
    const { at, startFrom, unit, order, step, concurrency = 1, perParent, grows } = incremental
    const details = [
      unit && `in ${unit}`,
      incremental.time && `written as ${timeFormText(incremental.time)}`,
      startFrom !== undefined && `from ${startFrom}`,
      lookbackText(incremental, isMerged),
      step !== undefined && `at most ${step} at once`,
      concurrency > 1 && `${concurrency} such steps side by side`,
      order !== undefined && order !== 'any' && order,
      perParent && 'one for each parent',
      grows && 'as text that grows',
    ]
    lines.push(line('cursor', [fromText(at), ...details.filter(Boolean)].join(', ')))
  }
  for (const stage of stages) {
    const isDownload = stage.type === 'flatMap' && stage.download !== undefined
    lines.push(line(isDownload ? 'download' : stage.type, stageText(stage)), ...childLines(stage, { isMerged }))
  }
  if (incremental && stages.some(({ type }) => type === 'flatMap'))
    lines.push('children of records that have not changed since are not read')
  if (functionsIn({ source, incremental, stages }).length === 0) lines.push('no functions')
  return lines
}

function lookbackText({ lookback, unit, startFrom }: Incremental, isMerged: boolean): string | undefined {
  if (lookback !== undefined) return lookback === 0 ? 'no lookback' : `${lookback} again`
  const isCounter = unit === undefined && (typeof startFrom === 'number' || typeof startFrom === 'bigint')
  if (!isMerged || isCounter) return undefined
  return `${DEFAULT_LOOKBACK} again${unit === undefined ? ' if it is a time' : ''}`
}

const line = (what: string, text: string): string => `${what.padEnd(9)}${text}`

function requestText({ path, query, json, form, multipart, files, graphql }: Request): string {
  const url = typeof path === 'string' ? path : String.raw({ raw: path.texts }, ...path.values.map(String))
  const parameters = query === undefined ? '' : `?${valuesText(query, '&')}`
  return (
    url +
    parameters +
    (json === undefined ? '' : ` {${valuesText(json, ', ')}}`) +
    (form === undefined ? '' : ` ${multipart ? 'multipart' : 'form'} {${valuesText(form, ', ')}}`) +
    (files === undefined ? '' : ` files {${filesText(files)}}`) +
    (graphql === undefined ? '' : ` ${shortened(graphql)}`)
  )
}

const filesText = (files: FileParts): string =>
  Object.entries(files)
    .flatMap(([field, parts]) => [parts].flat().map(({ filename }) => `${field}=${filename || field}`))
    .join(', ')

const valuesText = (values: object, separator: string): string =>
  typeof values === 'function'
    ? functionText(values)
    : Object.entries(values)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${valueText(value)}`)
        .join(separator)

function valueText(value: unknown): string {
  if (isBound(value)) {
    const { bound, as } = value
    if (as === undefined) return `{${bound}}`
    return typeof as === 'string' ? `{${bound}:${as}}` : `{${bound}:${as.pattern} in ${as.zone}}`
  }
  if (isBoundText(value)) {
    const { textTemplate, values } = value
    return textTemplate.map((text, index) => text + (index < values.length ? valueText(values[index]) : '')).join('')
  }
  return typeof value === 'object' && value !== null && !('toString' in value && Object.hasOwn(value, 'toString'))
    ? JSON.stringify(value)
    : String(value)
}

function pagingText(paging: Paging<never>): string {
  if (typeof paging === 'function') return functionText(paging)
  const ends = [
    'pages' in paging && paging.pages !== undefined && `${fromText(paging.pages)} of them`,
    'total' in paging && paging.total !== undefined && `to ${fromText(paging.total)}`,
    'max' in paging && paging.max !== undefined && `to ${paging.max}`,
    'more' in paging &&
      paging.more !== undefined &&
      `${'moreIs' in paging ? 'until' : 'while'} ${fromText(paging.more)}`,
  ]
  return [startText(paging), ...ends.filter((end) => end !== false)].join(', ')
}

function startText(paging: Exclude<Paging<never>, (...args: never) => unknown>): string {
  switch (paging.type) {
    case 'one page':
      return paging.atMost === undefined ? 'one' : `one, of at most ${paging.atMost} records`
    case 'page':
    case 'offset':
      return `${fromText(paging.parameter)}=${paging.start} and up`
    case 'cursor':
      return `${fromText(paging.parameter)} = ${fromText(paging.at)}`
    case 'last record':
      return `${fromText(paging.parameter)} = ${fromText(paging.at)} of the last record`
    case 'next url':
      return `at the URL in ${fromText(paging.at)}`
    case 'continue':
      return `all members of ${fromText(paging.at)} are sent`
    case 'link header':
      return `at the URL in the header link; rel=${paging.rel}`
    case 'header':
      return `${fromText(paging.parameter)} = header ${paging.header}`
    case 'since': {
      const field = paging.field ?? "the cursor's field"
      const within = paging.within === undefined ? '' : `, and within one value: ${pagingText(paging.within)}`
      return `since = ${field} of the last record${paging.exclusive ? ', less one value' : ''}${within}`
    }
    case 'relay':
      return `${paging.variable} = pageInfo.endCursor of ${fromText(paging.at)}`
  }
}

function deltaText({ at, parameter }: Delta<never>): string {
  const sentAs = parameter === undefined ? 'the URL' : fromText(parameter)
  return `the token in ${fromText(at)} of the last response, sent as ${sentAs}`
}

function stageText(stage: Stage): string {
  switch (stage.type) {
    case 'map':
      return functionText(stage.fn) + atOnce(stage.concurrency) + (stage.ordered ? '' : ', as completed')
    case 'tap':
      return functionText(stage.fn) + atOnce(stage.concurrency)
    case 'filter':
    case 'deleted':
      return 'where' in stage ? testText(stage.where.field, stage.where) : functionText(stage.fn)
    case 'flag':
      return `${stage.name} where ${testText(stage.where.field, stage.where)}`
    case 'flatMap':
      if (stage.download) return downloadText(stage.download) + atOnce(stage.concurrency)
      return `for ${batchText(stage.batch)}${atOnce(stage.concurrency)}:`
    case 'validate':
      return `${stage.schema['~standard'].vendor} schema`
    case 'offload':
      return stage.module.slice(stage.module.lastIndexOf('/') + 1) + atOnce(stage.concurrency)
    case 'dedupe':
      return `by ${stage.by.join(', ')}`
    case 'rename':
      return `${stage.from} -> ${stage.to}`
    case 'pick':
    case 'omit':
      return stage.fields.join(', ')
  }
}

/**
 * Describes the children of a `flatMap`. Their recipe exists only after the user's function was called with a parent.
 * This calls the function with a placeholder, and with an aborted signal, so that a request in it fails at once. An
 * async function is not called. If the call throws, the text of the function is shown.
 */
function childLines(stage: Stage, options: { isMerged: boolean }): string[] {
  if (stage.type !== 'flatMap' || stage.download) return []
  if (stage.fn.constructor.name === 'Function') {
    try {
      const record = placeholder()
      const child = stage.fn((stage.batch ? [record] : record) as never, AbortSignal.abort())
      if (typeof child === 'object' && child !== null && Object.hasOwn(child, 'recipe') && 'recipe' in child)
        return describeRecipe(child.recipe, options).map((text) => `  ${text}`)
    } catch {
      /* The function needs a real record. */
    }
  }
  return [`  ${functionText(stage.fn)}`]
}

/** Returns a record whose fields read as their names, so that a child's path is shown as `/topics/{id}/posts`. */
const placeholder = (name = ''): unknown =>
  new Proxy(
    {},
    {
      get: (_, field) => {
        if (field === Symbol.toPrimitive || field === 'toString' || field === 'toJSON') return () => `{${name}}`
        return typeof field === 'symbol' ? undefined : placeholder(name ? `${name}.${field}` : field)
      },
    },
  )

const batchText = (batch: Batching | undefined): string =>
  batch === undefined
    ? 'each record'
    : `each batch of up to ${batch.size} records${batch.expect === 'each' ? ', expects one of each' : ''}`

const downloadText = ({ at, format, records }: Download): string =>
  [`the file at ${at}`, format && formatText(format), `records: ${recordsText(records)}`].filter(Boolean).join(', ')

function recordsText(records: HttpSource['records']): string {
  if (records === '') return 'the body itself'
  return typeof records === 'object' ? shapeText(records) : fromText(records)
}
const atOnce = (concurrency: number): string => (concurrency === 1 ? '' : `, ${concurrency} at once`)
function fromText(from: InResponse<never, unknown> | InCondition<never> | Parameter): string {
  if (isCondition(from)) return testText(fromText(from.at), from)
  if (typeof from === 'string') return from
  return typeof from === 'function' ? functionText(from) : `header ${from.header}`
}
const functionText = (fn: object): string => shortened(Function.prototype.toString.call(fn))
const shortened = (text: string, line = text.replace(/\s+/g, ' ').trim()): string =>
  line.length > 90 ? `${line.slice(0, 89)}…` : line
const WORDING: Wording = {
  line,
  fromText,
  functionText,
  requestText,
  fileText: (download, concurrency) => downloadText(download) + atOnce(concurrency),
  linesOf: (recipe) => describeRecipe(recipe, { isMerged: false }),
  placeholder,
}
