import type { WorkerPool } from '../flow/worker-pool.ts'
import type { Page, Reject } from '../model/page.ts'
import type { Incremental, Recipe, Stage } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { lineageHash } from '../source/children/lineage-hash.ts'
import { readChildren } from '../source/children/read-children.ts'
import { readHttp } from '../source/read-http.ts'
import { readOwn } from '../source/read-own.ts'
import type { PageStage } from '../transform/compile-stages.ts'
import { throughStages } from '../transform/through-stages.ts'
import { withFetchContext, accountFetches } from './fetch-context.ts'
import { replayRecipe } from './replay-recipe.ts'

export interface ReadOptions {
  /** Threads for `offload`, shared by all streams. @default the reading's own */
  readonly workers?: Pick<WorkerPool, 'run'>
}

/**
 * Read a recipe: the pages of its source, through its stages, from a position on. The last page has the position `END`.
 * What the user's functions fetch on the way goes through the same clients.
 */
export function readRecipe(
  recipe: Recipe,
  reading: SliceRead,
  scope: Scope,
  options: ReadOptions = {},
): AsyncGenerator<Page, void, undefined> {
  return withFetchContext(scope, pagesOf(recipe, reading, scope, options, false, true))
}

/**
 * Send one rejected record through the stages again, as if its source had just answered it. Where it is a child, its
 * parents go first: they pass their stages, and the functions are asked anew for the child's recipe. Only what stages
 * fetch is requested, and children of the record itself.
 */
export function replayRecord(
  recipe: Recipe,
  { record, parents = [] }: Pick<Reject, 'record' | 'parents'>,
  scope: Scope,
  options: ReadOptions = {},
): AsyncGenerator<Page, void, undefined> {
  return readRecipe(replayRecipe(recipe, [...parents, record]), { position: null, restart: 'page' }, scope, options)
}

type Pages = AsyncGenerator<Page, void, undefined>

function pagesOf(
  recipe: Recipe,
  reading: SliceRead,
  scope: Scope,
  options: ReadOptions,
  hadCursor: boolean,
  isTop = false,
): Pages {
  const { source, incremental, stages } = recipe
  const hasCursor = hadCursor || incremental !== undefined
  // Of children, and of parents, it would be no measure of what is left.
  const isWhole = isTop && !stages.some(({ type }) => type === 'flatMap')
  let read = (reading: SliceRead, scope: Scope): Pages => sourcePages(source, incremental, reading, scope, isWhole)
  for (const part of parts(stages)) {
    const before = read
    read = Array.isArray(part)
      ? (reading, scope) => throughStages(before(reading, scope), part, scope, options)
      : (reading, scope) =>
          readChildren(
            {
              parents: before,
              stage: part,
              hasCursor,
              read: (child, reading, scope) => pagesOf(child, reading, scope, options, hasCursor),
            },
            reading,
            scope,
          )
  }
  return read(reading.boundary ? { ...reading, lineageHash: lineageHash(source, reading.lineageHash) } : reading, scope)
}

const sourcePages = (
  source: Recipe['source'],
  incremental: Incremental | undefined,
  reading: SliceRead,
  scope: Scope,
  isWhole: boolean,
): Pages =>
  'read' in source
    ? readOwn(accountFetches(source.read, scope), incremental, reading, scope)
    : readHttp(source, incremental, reading, scope, isWhole ? totalTo(scope) : undefined)

const totalTo = ({ emit, stream }: Scope) =>
  stream === undefined ? undefined : (pages: number): void => emit({ type: 'pages.total', stream, pages })

/** Stages that work page by page, together; between them those that read children. */
function parts(stages: readonly Stage[]): (PageStage[] | Extract<Stage, { readonly type: 'flatMap' }>)[] {
  const parts: (PageStage[] | Extract<Stage, { readonly type: 'flatMap' }>)[] = []
  for (const stage of stages) {
    const last = parts.at(-1)
    if (stage.type === 'flatMap') parts.push(stage)
    else if (Array.isArray(last)) last.push(stage)
    else parts.push([stage])
  }
  return parts
}
