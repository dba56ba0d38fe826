// Reads the pages of parents and starts the reader of each child, ahead of the pages that are wanted.
import type { Channel } from '../../flow/channel.ts'
import type { Semaphore } from '../../flow/semaphore.ts'
import { SourceReader } from '../../flow/source-reader.ts'
import { takesBound } from '../../model/bounds-in.ts'
import { UsageError } from '../../model/errors.ts'
import type { Page, Position } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { childPosition, START, type ChildPosition } from './child-position.ts'
import { ChildReader, type ReadPages } from './child-reader.ts'
import { expandBatches, type ExpandedBatch, type Members } from './expand-batches.ts'
import { expandedPage, expandRecords, type ExpandedRecord, type Expansion, type FlatMap } from './expand-records.ts'
import { checkOwnList, listOf, ownRange } from './own-list.ts'
import { OpenChildren } from './open-children.ts'
import { ParentPage, type ParentsState } from './parent-page.ts'

export interface ChildrenOptions {
  readonly parents: (slice: SliceRead, scope: Scope) => AsyncIterable<Page>
  readonly stage: FlatMap
  readonly read: ReadPages
  /** True if the parents have a cursor: then no child may have another one. */
  readonly hasCursor: boolean
}

/** The source of the next page or pages, in the order of the parents. */
export type ChildTask =
  /** A page of parents that all became lists. */
  | { readonly type: 'page'; readonly parent: ParentPage; readonly page: Page }
  /** A parent that became a list or was rejected, among others that have child streams. */
  | ({ readonly type: 'expanded'; readonly parent: ParentPage; readonly record: ExpandedRecord } & Members)
  | {
      readonly type: 'child'
      readonly parent: ParentPage
      readonly members: Members
      readonly child: ChildReader
      readonly list: ListRead
      /** A slot of the stage's concurrency. */
      readonly permit: Disposable
    }
  /** The end of a page of parents. */
  | { readonly type: 'end'; readonly parent: ParentPage }

/** What is known of the list of one child. */
export interface ListRead {
  /** Only a part is read: it goes on from a position, begins at a cursor, or a rule has left out a response. */
  isPart: boolean
}

/** Readers and memory that are open, and that the consumer of the tasks closes. */
export interface OpenResources {
  readonly readers: Set<ChildReader>
  readonly holds: Set<Disposable>
}

export class ChildStarter {
  readonly #options: ChildrenOptions
  readonly #slice: SliceRead
  readonly #scope: Scope
  readonly #tasks: Channel<ChildTask>
  readonly #slots: Semaphore
  readonly #open: OpenResources
  readonly #state: ParentsState = { hasChildStreams: false, openChildren: new OpenChildren() }

  constructor(
    options: ChildrenOptions,
    slice: SliceRead,
    scope: Scope,
    output: { readonly tasks: Channel<ChildTask>; readonly slots: Semaphore; readonly open: OpenResources },
  ) {
    this.#options = options
    this.#slice = slice
    this.#scope = scope
    this.#tasks = output.tasks
    this.#slots = output.slots
    this.#open = output.open
  }

  /** Children whose readings are open. The consumer of the tasks adds them. */
  get openChildren(): OpenChildren {
    return this.#state.openChildren
  }

  /** Sends the tasks of all parents, as far ahead as there are slots. */
  async run(): Promise<void> {
    const stored = childPosition(this.#slice.position)
    this.#state.hasChildStreams = stored.apart ?? false
    this.#state.openChildren = new OpenChildren(stored.open)
    const parents = new SourceReader(
      (signal) => this.#options.parents({ ...this.#slice, position: stored.at }, { ...this.#scope, signal }),
      this.#scope.signal,
    )
    try {
      let readFrom: Position | undefined = stored.at
      let isFirst = true
      for (let step = await parents.next(); !step.done; step = await parents.next()) {
        const parent = new ParentPage(step.value, readFrom, this.#state, this.#options.stage)
        await this.#startPage(parent, isFirst ? stored : START)
        readFrom = step.value.position
        isFirst = false
      }
    } catch (error) {
      await parents.abandon()
      throw error
    }
    await parents.close()
  }

  async #startPage(parent: ParentPage, stored: ChildPosition): Promise<void> {
    const { page } = parent
    if (page.hold) this.#open.holds.add(page.hold)
    const { done, child } = parent.startFrom(stored, this.#slice.restart)
    const parts = await this.#expand(page.records, done)
    if (stored.child !== null && child === null) await this.#giveUp(stored, parts)
    const lists = parts.flatMap(({ expansion, count }) =>
      isExpanded(expansion) ? Array.from({ length: count }, () => expansion) : [],
    )
    const isListsOnly = parts.every(({ expansion }) => isExpanded(expansion))
    this.#state.hasChildStreams ||= !isListsOnly
    const isWhole = done === 0 && child === null
    // In a stream that has child streams, an empty page is one of parents.
    const isPageOfLists = isListsOnly && (lists.length > 0 || !this.#state.hasChildStreams)
    if (isPageOfLists && isWhole) {
      const wholeLists = page.records.filter((_, index) => lists[index]?.type === 'list')
      await this.#send({ type: 'page', parent, page: { ...expandedPage(page, lists), wholeLists } })
      if (page.hold) this.#open.holds.delete(page.hold) // The page holds it now.
      return
    }
    const cursors = await this.#readCursors(parts)
    for (const { index, count, expansion } of parts) {
      if (isExpanded(expansion)) {
        await this.#send({ type: 'expanded', parent, index, count, record: expansion })
        continue
      }
      const { recipe } = expansion
      const position = index === done ? child : null
      const mayBeOpen = position !== null && stored.open !== undefined
      await this.#startChild(parent, { index, count }, recipe, {
        ...this.#sliceOf(recipe, cursors, mayBeOpen),
        position,
      })
    }
    await this.#send({ type: 'end', parent })
  }

  /** Gives up the reading of a stored child, whose parents have changed. */
  async #giveUp({ child, done }: ChildPosition, parts: readonly ExpandedBatch[]): Promise<void> {
    const likeliest = parts.filter(({ index, count }) => index <= done && done < index + count)
    await this.#slice.onGivenUp?.({
      position: child,
      recipes: [...likeliest, ...parts].flatMap(recipeOf),
      haveParentsChanged: true,
      isStored: true,
    })
  }

  async #expand(records: readonly unknown[], from: number): Promise<ExpandedBatch[]> {
    const { stage } = this.#options
    if (stage.batch) return expandBatches(records, from, { fn: stage.fn, batch: stage.batch }, this.#scope.signal)
    const expansions = await expandRecords(records, from, stage, this.#scope.signal)
    return expansions.map((expansion, offset) => ({ index: from + offset, count: 1, expansion }))
  }

  /** Returns the cursors of the lists that parents of one page have, by list. */
  async #readCursors(parts: readonly ExpandedBatch[]): Promise<ReadonlyMap<string, string>> {
    const { parentCursors } = this.#slice
    if (!parentCursors) return new Map()
    const own = parts.flatMap(({ expansion }) => (hasOwnList(expansion) ? [expansion.recipe] : []))
    if (own.length === 0) return new Map()
    checkOwnList(this.#slice, this.#options.stage.batch !== undefined)
    const lists = own.map((recipe) => listOf(recipe, this.#scope.secrets).list)
    return parentCursors(lists, this.#scope.signal)
  }

  #sliceOf(recipe: Recipe, cursors: ReadonlyMap<string, string>, mayBeOpen: boolean): SliceRead {
    if (!recipe.incremental?.perParent) return this.#slice
    const list = this.#slice.parentCursors && listOf(recipe, this.#scope.secrets)
    const ownList = list && { ...list, cursor: cursors.get(list.list), mayBeOpen }
    return ownRange(this.#slice, ownList, this.#options.hasCursor)
  }

  async #startChild(parent: ParentPage, members: Members, recipe: Recipe, slice: SliceRead): Promise<void> {
    if (this.#options.hasCursor && recipe.incremental && !recipe.incremental.perParent)
      throw new UsageError(
        '.incremental() stands twice: before .flatMap and in the child stream. ' +
          'Keep the one whose cursor finds new records',
      )
    if (recipe.incremental?.step !== undefined)
      throw new UsageError(
        '.incremental(): step cannot stand in a child stream, because all children of a run share one range. ' +
          'Put it on the parents, or remove it',
      )
    const permit = await this.#slots.acquire({ signal: this.#scope.signal })
    const memory = parent.page.memory ?? this.#scope.memory
    // The rows of children below this one belong to other parents.
    const isAbove = recipe.stages.some(({ type }) => type === 'flatMap')
    const list = { isPart: slice.position !== null || isAbove || readsRange(recipe, slice) }
    const onPart: SliceRead['onPart'] = (reason, what) => {
      list.isPart = true
      slice.onPart?.(reason, what)
    }
    const child = new ChildReader(recipe, { ...slice, onPart }, this.#scope, memory, this.#options.read)
    this.#open.readers.add(child)
    await this.#send({ type: 'child', parent, members, child, list, permit })
  }

  #send(task: ChildTask): Promise<void> {
    return this.#tasks.send(task, { signal: this.#scope.signal })
  }
}

const hasOwnList = (expansion: Expansion): expansion is Exclude<Expansion, ExpandedRecord> =>
  expansion.type === 'child stream' && expansion.recipe.incremental?.perParent === true

const isExpanded = (expansion: Expansion): expansion is ExpandedRecord => expansion.type !== 'child stream'

/** True if only a part of a list may be asked for, because its request takes the range of its parents. */
const readsRange = ({ source }: Recipe, { since, until }: SliceRead): boolean =>
  (since !== undefined || until !== undefined) &&
  ('read' in source || takesBound(source.request, 'since') || takesBound(source.request, 'until'))

const recipeOf = ({ expansion }: ExpandedBatch): Recipe[] => (isExpanded(expansion) ? [] : [expansion.recipe])
