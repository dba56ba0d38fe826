import { UsageError } from '../model/errors.ts'
import type { Cron, HttpSource, Recipe, Schedule, Table } from '../model/recipe.ts'
import { Flow } from './flow.ts'
import { functionsIn } from './functions-in.ts'
import { rejectRenamedWords } from './renamed-words.ts'
import { pipeline, type Pipeline } from './pipeline.ts'
import { tableOf } from './table.ts'

/** A pipeline without functions, as JSON or YAML would hold it. It is the recipe itself: there is no second format. */
export interface PipelineData {
  readonly name: string
  readonly schedule?: Cron | Schedule
  readonly streams: Readonly<Record<string, { readonly recipe: Recipe; readonly table: Table }>>
}

/** A pipeline as data, to be stored or sent; a function in it is named as a fault. */
export function toData({ name, schedule, streams }: Pipeline): PipelineData {
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

/** The pipeline that data describes. What the chain would have refused is refused here too. */
export function fromData({ name, schedule, streams }: PipelineData): Pipeline {
  const flows = Object.entries(streams ?? {}).map(([stream, { recipe, table }]) => {
    const place = `${name}.${stream}`
    if (typeof recipe?.source !== 'object' || !('api' in recipe.source))
      throw new UsageError(`${place}: recipe.source.api is missing: say which API is asked`)
    const { api, request, paging, records } = recipe.source
    rejectFormerNames(`${place}: recipe`, recipe)
    if (typeof api?.base !== 'string' || !URL.canParse(api.base))
      throw new UsageError(`${place}: recipe.source.api.base is no URL`)
    if (typeof request?.path !== 'string' && !Array.isArray(request?.path?.texts))
      throw new UsageError(`${place}: recipe.source.request.path is missing`)
    if (typeof paging !== 'object' || typeof paging?.type !== 'string')
      throw new UsageError(
        `${place}: recipe.source.paging is missing: say how pages follow each other, be it { "type": "one page" }`,
      )
    if (typeof records !== 'string')
      throw new UsageError(
        `${place}: recipe.source.records is missing: say where the records are; "" is the body itself`,
      )
    if (!Array.isArray(recipe.stages))
      throw new UsageError(`${place}: recipe.stages is missing: give a list, be it empty`)
    const { name: target, isVersionOptional, versionBy, ...rest } = table ?? {}
    return [
      stream,
      new Flow(
        recipe,
        tableOf(target ?? '', { ...rest, ...(versionBy !== undefined && !isVersionOptional && { versionBy }) }, recipe),
      ),
    ] as const
  })
  return pipeline(name, { ...(schedule && { schedule }), streams: Object.fromEntries(flows) })
}

/** A bigint has no place in JSON; in a recipe only a cursor's `from` can be one, where its text means the same. */
const exactly = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

/** Data may have been stored by version 0.1. Options of the API, the cursor and the table are named there, too. */
function rejectFormerNames(place: string, { source, incremental, stages }: Recipe): void {
  const { api, paging } = source as Partial<HttpSource>
  rejectRenamedWords(`${place}.source.api`, api, { allow: 'allowedOrigins', pageBytes: 'maxPageSize' })
  rejectRenamedWords(`${place}.source.api.auth`, api?.auth, { by: 'type' })
  rejectRenamedWords(`${place}.source.paging`, paging, { by: 'type', first: 'start', last: 'max' })
  rejectRenamedWords(`${place}.incremental`, incremental, { from: 'startFrom' })
  for (const [index, stage] of (Array.isArray(stages) ? stages : []).entries())
    rejectRenamedWords(`${place}.stages[${index}]`, stage, { stage: 'type' })
}
