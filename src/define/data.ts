import { UsageError } from '../model/errors.ts'
import type { Cron, HttpSource, Recipe, Schedule, Table } from '../model/recipe.ts'
import { defined } from '../value/defined.ts'
import { readResponseRules, type ResponseRule } from './api/response-rules.ts'
import { Flow } from './flow.ts'
import { rejectRenamedWords } from './renamed-words.ts'
import { pipeline, type Pipeline } from './pipeline.ts'
import { tableOf } from './table/table.ts'

/** A pipeline without functions, as JSON or YAML. It consists of the recipes themselves. */
export interface PipelineData {
  readonly name: string
  readonly schedule?: Cron | Schedule
  readonly streams: Readonly<Record<string, { readonly recipe: Recipe; readonly table: Table }>>
}

/**
 * Returns a pipeline as data, to be stored or sent. Throws a UsageError that names a function in it.
 *
 * @example
 * const json = JSON.stringify(toData(billing))
 */
export function toData({ name, schedule, streams }: Pipeline): PipelineData {
  if (typeof streams === 'function')
    throw new UsageError(`${name}: its streams are a function of the account, which cannot be written as data`)
  const flows = Object.entries(streams).map(([stream, { recipe, table }]) => {
    const [where] = functionsIn(recipe)
    if (where !== undefined)
      throw new UsageError(
        `${name}.${stream}: ${where} is a function, which cannot be written as data: use a path or a declarative stage`,
      )
    return [stream, { recipe, table }] as const
  })
  return JSON.parse(JSON.stringify({ name, schedule, streams: Object.fromEntries(flows) }, exactly)) as PipelineData
}

/**
 * Returns the pipeline that data describes. Throws a UsageError for data that a pipeline file could not contain.
 *
 * @example
 * await run(fromData(JSON.parse(json)))
 */
export function fromData({ name, schedule, streams }: PipelineData): Pipeline {
  const flows = Object.entries(streams ?? {}).map(([stream, { recipe, table }]) => {
    const place = `${name}.${stream}`
    if (typeof recipe?.source !== 'object' || !('api' in recipe.source))
      throw new UsageError(`${place}: recipe.source.api is missing: give the API`)
    const { api, request, paging, records } = recipe.source
    rejectFormerNames(`${place}: recipe`, recipe)
    if (recipe.source.job !== undefined)
      throw new UsageError(`${place}: recipe.source.job cannot be data, because its requests are functions of its id`)
    if (typeof api?.base !== 'string' || !URL.canParse(api.base))
      throw new UsageError(`${place}: recipe.source.api.base is no URL`)
    if (typeof request?.path !== 'string' && !Array.isArray(request?.path?.texts))
      throw new UsageError(`${place}: recipe.source.request.path is missing`)
    if (typeof paging !== 'object' || typeof paging?.type !== 'string')
      throw new UsageError(
        `${place}: recipe.source.paging is missing: give the paginator, such as { "type": "one page" }`,
      )
    if (typeof records !== 'string' && (typeof records !== 'object' || typeof records?.type !== 'string'))
      throw new UsageError(
        `${place}: recipe.source.records is missing: give the path of the records; "" is the body itself`,
      )
    for (const [name, { responseRules: rules }] of Object.entries({ api, request }))
      // Rules that are data have patterns instead of regular expressions, which are accepted too.
      if (rules !== undefined)
        readResponseRules(`${place}: recipe.source.${name}`, rules as unknown as readonly ResponseRule[], api.auth)
    if (!Array.isArray(recipe.stages))
      throw new UsageError(`${place}: recipe.stages is missing: give a list; it may be empty`)
    const { name: target, isVersionOptional, versionBy, ...rest } = table ?? {}
    return [
      stream,
      new Flow(
        recipe,
        tableOf(
          target ?? '',
          { ...rest, ...defined({ versionBy: isVersionOptional ? undefined : versionBy }) },
          recipe,
        ),
      ),
    ] as const
  })
  return pipeline(name, { ...defined({ schedule }), streams: Object.fromEntries(flows) })
}

/** JSON has no bigint. In a recipe only `startFrom` of a cursor can be one, and its text means the same. */
const exactly = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

/** Throws a UsageError for data with names of version 0.1. `tableOf` does so for the options of a table. */
function rejectFormerNames(place: string, { source, incremental, stages }: Recipe): void {
  const { api, paging } = source as Partial<HttpSource>
  rejectRenamedWords(`${place}.source.api`, api, { allow: 'allowedOrigins', pageBytes: 'maxPageSize' })
  rejectRenamedWords(`${place}.source.api.auth`, api?.auth, { by: 'type' })
  rejectRenamedWords(`${place}.source.paging`, paging, { by: 'type', first: 'start', last: 'max' })
  rejectRenamedWords(`${place}.incremental`, incremental, { from: 'startFrom' })
  for (const [index, stage] of (Array.isArray(stages) ? stages : []).entries())
    rejectRenamedWords(`${place}.stages[${index}]`, stage, { stage: 'type' })
}

/** Returns the paths of all functions in a recipe, such as `stages.0.fn`. A recipe without any can be data. */
export function functionsIn(value: unknown, place = ''): string[] {
  if (typeof value === 'function') return [place]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => functionsIn(member, place ? `${place}.${name}` : name))
}
