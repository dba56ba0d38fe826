// From a recipe to pages: the source's pages pass the stages, in the order in which they are written.
import type { WorkerPool } from '../flow/worker-pool.ts'
import type { Page, Reject } from '../model/page.ts'
import { UsageError } from '../model/errors.ts'
import { hasOwnCursor } from '../model/own-cursor.ts'
import type { Recipe, Stage } from '../model/recipe.ts'
import type { Api } from '../model/request.ts'
import type { Client, JoinedList, Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import type { FlatMap } from '../source/children/expand-records.ts'
import { lineageHash } from '../source/children/lineage-hash.ts'
import { withOwnCursor } from '../source/children/own-list.ts'
import { readChildren } from '../source/children/read-children.ts'
import type { ReadPages } from '../source/children/child-reader.ts'
import { readSinceToken } from '../source/delta.ts'
import { isJobSource } from '../source/jobs/job-source.ts'
import { readJob } from '../source/jobs/read-job.ts'
import { readHttp } from '../source/read-http.ts'
import { readCustomSource } from '../source/read-custom-source.ts'
import type { PageStage } from '../transform/compile-stages.ts'
import { throughStages } from '../transform/through-stages.ts'
import { keyNamesBehind } from '../transform/tombstones.ts'
import { provideFetchToSource, provideFetchToStages } from './fetch-context.ts'
import { replayRecipe } from './replay-recipe.ts'

export interface ReadOptions {
  /** Threads for `offload`, shared by all streams. @default its own threads, ended together with the pages */
  readonly workers?: Pick<WorkerPool, 'run'>
}

type Pages = AsyncGenerator<Page, void, undefined>

/**
 * Yields the pages of a slice, from its position on. The last page has the position `END`. Fetches of the recipe's
 * functions use the clients of the scope.
 */
export function readRecipe(recipe: Recipe, slice: SliceRead, scope: Scope, options: ReadOptions = {}): Pages {
  return provideFetchToStages(scope, readPages(recipe, slice, scope, { ...options, isChild: false, hasCursor: false }))
}

/**
 * Yields the pages of one rejected record, as if its source had just read it. For a child's record, its parents pass
 * their stages first, and the functions of `flatMap` make the child's recipe again. The only requests are those of
 * stages, and those of children that the record itself has.
 */
export function replayRecord(
  recipe: Recipe,
  { record, parents = [] }: Pick<Reject, 'record' | 'parents'>,
  scope: Scope,
  options: ReadOptions = {},
): Pages {
  return readRecipe(replayRecipe(recipe, [...parents, record]), { position: null, restart: 'page' }, scope, options)
}

/** Reads a recipe as far as the children of one stage, one at a time, with a reader of one's own for them. */
export interface UpToChildren {
  /** The index of the stage. */
  readonly stage: number
  readonly read: ReadPages
  /** The recipe is that of a child. */
  readonly isChild: boolean
}

/** Yields the pages of a recipe as far as the children of one of its stages. */
export function readUpToChildren(recipe: Recipe, slice: SliceRead, scope: Scope, upTo: UpToChildren): Pages {
  return provideFetchToStages(scope, readPages(recipe, slice, scope, { isChild: upTo.isChild, hasCursor: false, upTo }))
}

interface RecipeContext extends ReadOptions {
  readonly isChild: boolean
  /** @default the whole recipe is read */
  readonly upTo?: UpToChildren
  /** True if a parent has a cursor. */
  readonly hasCursor: boolean
  /** True for the child of a batch of parents. */
  readonly isOfBatch?: boolean
  /** The fields of the table's key, as records have them behind the recipe. @default as rows have them */
  readonly key?: readonly string[]
}

function readPages(recipe: Recipe, slice: SliceRead, scope: Scope, { upTo, ...context }: RecipeContext): Pages {
  const hasCursor = context.hasCursor || hasOwnCursor(recipe)
  const keyOf = ({ key }: SliceRead, behind: number): readonly string[] =>
    keyNamesBehind(recipe.stages.slice(behind), context.key ?? key)
  const readChild =
    ({ batch }: FlatMap, behind: number): ReadPages =>
    (child, slice, scope) =>
      readChildPages(child, slice, scope, {
        ...context,
        isChild: true,
        hasCursor,
        isOfBatch: batch !== undefined,
        key: keyOf(slice, behind),
      })

  let read = (slice: SliceRead, scope: Scope): Pages => readSource(recipe, slice, scope, context)
  let behind = 0
  for (const step of stepsOf(recipe.stages)) {
    if (upTo && behind > upTo.stage) break
    const readBefore = read
    const readOwn = behind === upTo?.stage ? upTo.read : undefined
    const next = behind + (step.type === 'page stages' ? step.stages.length : 1)
    read =
      step.type === 'page stages'
        ? (slice, scope) =>
            throughStages(readBefore(slice, scope), step.stages, scope, { ...context, key: keyOf(slice, next) })
        : (slice, scope) =>
            readChildren(
              {
                parents: readBefore,
                stage: upTo ? { ...step.stage, concurrency: 1 } : step.stage,
                read: readOwn ?? readChild(step.stage, next),
                hasCursor,
              },
              slice,
              scope,
            )
    behind = next
  }
  // The members of a batch may be others in the next run, and its request names them.
  return read(context.isOfBatch ? slice : withLineage(slice, recipe), scope)
}

function readChildPages(recipe: Recipe, slice: SliceRead, scope: Scope, context: RecipeContext): Pages {
  if (!recipe.incremental?.perParent) return readPages(recipe, slice, scope, context)
  // The lists below this one have cursors of their own.
  const { ownList, ...rest } = slice
  return withOwnCursor(readPages(recipe, rest, scope, context), ownList)
}

function readSource(
  { source, incremental, stages }: Recipe,
  slice: SliceRead,
  scope: Scope,
  context: RecipeContext,
): Pages {
  if ('read' in source) return readCustomSource(provideFetchToSource(source.read, scope), incremental, slice, scope)
  const isParent = stages.some(({ type }) => type === 'flatMap')
  // A total of parents or of one child would not say how much of the stream is left.
  const hasTotal = !context.isChild && !isParent
  // The key is that of the table's rows: parents have another one, and a stage may make it of other fields.
  const own = slice.key && stages.some((stage) => mayChangeKey(stage, slice.key)) ? { ...slice, key: [] } : slice
  if (isJobSource(source)) {
    const readResults: ReadPages = (results, slice, scope) =>
      readPages(results, slice, scope, { ...context, isChild: true, isOfBatch: false })
    return readJob(source, incremental, own, scope, readResults)
  }
  const readIn = (slice: SliceRead, scope: Scope): Pages =>
    readHttp(source, incremental, slice, scope, {
      isChild: context.isChild,
      onTotal: hasTotal ? reportTotalTo(scope) : undefined,
    })
  if (source.firstPage !== undefined && !context.isChild)
    throw new UsageError(
      'firstPage of .pages() belongs to the children of a record: use it in the function of .flatMap()',
    )
  const list = context.isChild ? undefined : scope.sharedList?.(source)
  const read = (slice: SliceRead): Pages =>
    list ? readShared(list, source.api, slice, scope, readIn) : readIn(slice, scope)
  if (!source.delta) return read(own)
  if (context.isChild)
    throw new UsageError('a delta token cannot stand in a child stream, because all children have one cursor')
  return readSinceToken(source.delta, own, scope, read)
}

/** Reads a list together with other streams of the run, unless it resumes inside: the others begin at its start. */
async function* readShared(
  list: JoinedList,
  api: Api,
  slice: SliceRead,
  scope: Scope,
  read: (slice: SliceRead, scope: Scope) => Pages,
): Pages {
  const { stream = '' } = scope
  if (slice.position !== null) list.pass(stream)
  using member = slice.position === null ? list.join(stream, scope.client(api)) : undefined
  const client = (other: Api): Client => (member && other === api ? member : scope.client(other))
  yield* read(slice, { ...scope, client })
}

function mayChangeKey(stage: Stage, key: readonly string[] = []): boolean {
  switch (stage.type) {
    case 'map':
    case 'flatMap':
    case 'offload':
    case 'validate':
      return true
    case 'rename':
      return key.includes(stage.to)
    case 'flag':
      return key.includes(stage.name)
    case 'filter':
    case 'deleted':
    case 'tap':
    case 'dedupe':
    case 'pick':
    case 'omit':
      return false
  }
}

const reportTotalTo = ({ emit, stream }: Scope) =>
  stream === undefined ? undefined : (pages: number): void => emit({ type: 'pages.total', stream, pages })

/** Adds the hash of a child's ancestors, which separates equal records of different parents (append without a key). */
const withLineage = (slice: SliceRead, { source }: Recipe): SliceRead =>
  slice.boundary ? { ...slice, lineageHash: lineageHash(source, slice.lineageHash) } : slice

type Step =
  | { readonly type: 'page stages'; readonly stages: PageStage[] }
  | { readonly type: 'children'; readonly stage: FlatMap }

/** Groups neighbouring stages that change one page, between those that read children. */
function stepsOf(stages: readonly Stage[]): Step[] {
  const steps: Step[] = []
  for (const stage of stages) {
    const last = steps.at(-1)
    if (stage.type === 'flatMap') steps.push({ type: 'children', stage })
    else if (last?.type === 'page stages') last.stages.push(stage)
    else steps.push({ type: 'page stages', stages: [stage] })
  }
  return steps
}
