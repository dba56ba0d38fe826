// A stream as one sentence, for people who meet a pipeline for the first time.
import { PAGE_SIZE_NAMES } from '../model/page-size-names.ts'
import type { Incremental, Recipe, Stage, Table } from '../model/recipe.ts'
import type { InResponse, Paging, Parameter, Request } from '../model/request.ts'
import type { Pipeline } from './pipeline.ts'
import { parseCron, type CronFields } from './schedule/cron.ts'
import { scheduleOf } from './schedule/schedule.ts'

/**
 * Returns each stream of a pipeline as a sentence, by its name.
 *
 * @example
 * // orders reads GET /orders of shop.example, page by page by the cursor in meta.next, 100 at a time, adds only …
 */
export function streamSentences({ streams, ...more }: Pipeline): Readonly<Record<string, string>> {
  const when = whenText(more)
  return Object.fromEntries(
    Object.entries(streams).map(([stream, { recipe, table }]) => {
      const parts = [readText(recipe), changedText(recipe), ...stageTexts(recipe.stages), writeText(table), when]
      return [stream, `${parts.filter((part) => part !== undefined).join(', ')}.`]
    }),
  )
}

function readText({ source }: Recipe): string {
  if ('read' in source) return 'reads a source of its own'
  const { request, api, paging, job } = source
  const url = new URL(api.base)
  const path = typeof request.path === 'string' ? request.path : request.path.texts.join('…')
  const where = `${request.method} ${url.pathname.replace(/\/$/, '')}${path} of ${url.host}`
  if (job) return `reads the results of an export that ${where} starts`
  const what = request.graphql === undefined ? where : `the GraphQL API ${url.host}${url.pathname}`
  const size = pageSizeOf(request)
  return `reads ${what}, ${pagingText(paging)}${size === undefined ? '' : `, ${size} at a time`}`
}

function pagingText(paging: Paging<never>): string {
  if (typeof paging === 'function') return 'page by page by a function'
  switch (paging.type) {
    case 'one page':
      return 'all in one page'
    case 'page':
      return `page by page by the number ${nameOf(paging.parameter)}`
    case 'offset':
      return `page by page by the offset ${nameOf(paging.parameter)}`
    case 'cursor':
      return `page by page by the cursor in ${nameOf(paging.at)}`
    case 'last record':
      return `page by page after ${nameOf(paging.at)} of the last record`
    case 'next url':
      return `page by page by the URL in ${nameOf(paging.at)}`
    case 'continue':
      return `page by page by the parameters in ${nameOf(paging.at)}`
    case 'link header':
      return 'page by page by the header link'
    case 'header':
      return `page by page by the header ${paging.header}`
    case 'relay':
      return `page by page by the connection ${nameOf(paging.at)}`
    case 'since':
      return 'page by page from the last record on'
  }
}

function nameOf(at: InResponse<never, unknown> | Parameter): string {
  if (typeof at === 'string') return at
  return typeof at === 'function' ? 'a function' : `the header ${at.header}`
}

/** Returns the number of records that a page is asked for, undefined if the request does not say so by a usual name. */
function pageSizeOf({ query, json, graphql }: Request): number | undefined {
  const given = [query, graphql === undefined ? json : undefined].filter((one) => typeof one === 'object')
  const sizes = given.flatMap((one) => PAGE_SIZE_NAMES.map((name) => Number((one as Record<string, unknown>)[name])))
  return sizes.find((size) => Number.isSafeInteger(size) && size > 0)
}

function changedText({ source, incremental }: Recipe): string {
  if (incremental) return `adds only what changed since ${fieldOf(incremental)}`
  if ('api' in source && source.delta) return 'adds only what changed since its delta token'
  return isConditional(source) ? 'reads everything if the list has changed' : 'reads everything each time'
}

const isConditional = (source: Recipe['source']): boolean => 'api' in source && source.ifChanged === true

const fieldOf = ({ at }: Incremental): string => (typeof at === 'string' ? at : 'the value of a function')

/** Returns what changes the number of records. Other stages are in the description below. */
function stageTexts(stages: readonly Stage[]): string[] {
  return stages.flatMap((stage) => {
    if (stage.type === 'flatMap')
      return [stage.download ? 'reads the file of each record' : 'reads the children of each record']
    return stage.type === 'filter' ? ['keeps some of the records'] : []
  })
}

function writeText({ name, write, key, account, absent, children, mirror }: Table): string {
  const fields = [...(account ? [account.name] : []), ...key].join(' and ')
  if (write === 'replace') return `replaces the rows of ${name}`
  if (write === 'append') return key.length === 0 ? `appends to ${name}` : `appends to ${name}, once by ${fields}`
  if (write === 'history') return `keeps the history of ${name} by ${fields}`
  const lists = children ? `, with the lists ${Object.keys(children).join(' and ')} in tables of their own` : ''
  const kept = absent === 'keep' ? ' and leaves what a record lacks as it is' : ''
  const gone = mirror ? ', deletes the rows that a complete reading does not bring' : ''
  return `merges into ${name} by ${fields}${kept}${lists}${gone}`
}

function whenText(given: Parameters<typeof scheduleOf>[0]): string {
  const schedule = scheduleOf(given)
  if (!schedule) return 'when you run it'
  const { cron, zone } = schedule
  return `${ticksText(parseCron(cron, 'schedule')) ?? `at ${cron}`}${zone === 'UTC' ? '' : ` (${zone})`}`
}

/** Returns a simple pattern in words; undefined for any other one. */
function ticksText({ minute, hour, any }: CronFields): string | undefined {
  if (!any.day || !any.weekday || !any.month) return undefined
  const [first = 0, second] = minute
  if (any.hour) {
    if (any.minute) return 'each minute'
    if (second === undefined) return 'each hour'
    const step = second - first
    const isEven = 60 % step === 0 && minute.length === 60 / step
    return isEven ? `every ${step} minutes` : undefined
  }
  if (second !== undefined || hour.length > 1) return undefined
  return `each day at ${String(hour[0] ?? 0).padStart(2, '0')}:${String(first).padStart(2, '0')}`
}
