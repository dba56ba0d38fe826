// `flatMap`: reads the child stream of each parent, and yields the children's pages in the order of their parents.
import { Channel } from '../../flow/channel.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { isEnd, type Page } from '../../model/page.ts'
import type { Batching } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import { EachRecord, type Members } from './expand-batches.ts'
import { expandedPage, rejection, type ExpandedRecord } from './expand-records.ts'
import type { ParentPage } from './parent-page.ts'
import { positioned } from '../page-position.ts'
import {
  ChildStarter,
  type ChildrenOptions,
  type ChildTask,
  type ListRead,
  type OpenResources,
} from './start-children.ts'

/**
 * Reads `concurrency` children at a time, also across pages of parents. Yields their pages in the order of their
 * parents: so a position stands for everything before it.
 */
export async function* readChildren(
  options: ChildrenOptions,
  slice: SliceRead,
  scope: Scope,
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(slice.position)) return
  await using reader = new ChildrenReader(options, slice, scope)
  yield* reader.pages()
}

class ChildrenReader implements AsyncDisposable {
  readonly #scope: Scope
  readonly #link: LinkedSignal
  readonly #tasks: Channel<ChildTask>
  readonly #open: OpenResources = { readers: new Set(), holds: new Set() }
  readonly #starter: ChildStarter
  readonly #batch: Batching | undefined
  #starting: Promise<void> = Promise.resolve()

  constructor(options: ChildrenOptions, slice: SliceRead, scope: Scope) {
    const { concurrency, batch } = options.stage
    this.#batch = batch
    this.#link = new LinkedSignal(scope.signal)
    this.#scope = { ...scope, signal: this.#link.signal }
    this.#tasks = new Channel(concurrency)
    this.#starter = new ChildStarter(options, slice, this.#scope, {
      tasks: this.#tasks,
      slots: new Semaphore(concurrency),
      open: this.#open,
    })
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    this.#starting = this.#starter.run().then(
      () => this.#tasks.close(),
      (error: unknown) => this.#tasks.close(error),
    )
    for await (const task of this.#tasks.read({ signal: this.#scope.signal })) {
      switch (task.type) {
        case 'page':
          yield this.#parentsPage(task.page, task.parent)
          break
        case 'expanded':
          yield expandedParents(task.parent, task, task.record)
          break
        case 'child':
          yield* this.#childPages(task)
          break
        case 'end':
          yield this.#endOf(task.parent)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.abort(new DOMException('The reader of these children left', 'AbortError'))
    await this.#starting
    await Promise.all([...this.#open.readers].map((child) => child[Symbol.asyncDispose]()))
    for (const hold of this.#open.holds) hold[Symbol.dispose]()
    this.#link[Symbol.dispose]()
  }

  async *#childPages({
    parent,
    members,
    child,
    list,
    permit,
  }: Extract<ChildTask, { readonly type: 'child' }>): AsyncGenerator<Page, void, undefined> {
    const ancestors = [...(parent.page.parents ?? []), parent.ancestorAt(members.index, members.count)]
    const each = this.#batch?.expect === 'each' ? new EachRecord(members) : undefined
    try {
      for (let step = await child.next(); !step.done; step = await child.next())
        yield this.#childPage(each ? each.page(step.value) : step.value, { parent, members, ancestors, list })
      this.#starter.openChildren.endChild()
    } catch (error) {
      if (!child.isParentsFault(error)) throw error
      yield expandedParents(parent, members, rejection(error, this.#scope.signal))
    } finally {
      await child[Symbol.asyncDispose]()
      this.#open.readers.delete(child)
      permit[Symbol.dispose]()
    }
  }

  /**
   * Yields what belongs to the whole page of parents, once: counts, rejects and the high-water mark. So a restart
   * inside the page does not repeat them.
   */
  #endOf(parent: ParentPage): Page {
    const { counts, rejects, highWaterMark, parentCursors, boundaryMatches, completeness, parents } = parent.page
    const { onStored, hold } = parent.page
    if (hold) {
      this.#open.holds.delete(hold)
      hold[Symbol.dispose]()
      this.#scope.memory.recheck()
    }
    const page = {
      records: [],
      rejects,
      // Parents count as `parents`; only the rejected and the deleted ones stay in the balance of the counts.
      counts: {
        ...NO_READ_COUNTS,
        fetched: counts.rejected + counts.deleted,
        rejected: counts.rejected,
        deleted: counts.deleted,
        parents: counts.parents + counts.fetched,
      },
      ...defined({ highWaterMark, parentCursors, boundaryMatches, completeness, parents, onStored }),
    }
    return this.#parentsPage(page, parent)
  }

  /** Returns a page with its position. The last one has the completeness of the parents and of all their children. */
  #parentsPage(page: Page, parent: ParentPage): Page {
    const position = parent.positionBehind()
    const completeness = isEnd(position) ? this.#starter.openChildren.with(page.completeness) : page.completeness
    return { ...positioned(page, position), ...defined({ completeness }) }
  }

  /** Returns a page of a child, with its position inside the page of parents and with its ancestors. */
  #childPage(
    page: Page,
    {
      parent,
      members,
      ancestors,
      list,
    }: {
      readonly parent: ParentPage
      readonly members: Members
      readonly ancestors: readonly unknown[]
      readonly list: ListRead
    },
  ): Page {
    if (page.completeness?.grade === 'open') list.isPart = true
    const completeness = this.#starter.openChildren.add(page)
    const { position } = page
    // The last page ends the child: its position counts it.
    const isLast = isEnd(position)
    if (isLast) this.#starter.openChildren.endChild()
    const wholeLists = isLast && !list.isPart ? membersOf(parent, members) : page.wholeLists
    return {
      ...positioned(page, childPagePosition(page, parent, members)),
      ...defined({ completeness, wholeLists }),
      parents: [...ancestors, ...(page.parents ?? [])],
      rejects: page.rejects.map((reject) => ({ ...reject, parents: [...ancestors, ...(reject.parents ?? [])] })),
    }
  }
}

function childPagePosition({ position }: Page, parent: ParentPage, { index, count }: Members): Page['position'] {
  if (position === undefined) return undefined
  return isEnd(position) ? parent.positionInside(index + count) : parent.positionInside(index, position)
}

/** Returns records of parents as the function of the children got them. */
const membersOf = ({ page }: ParentPage, { index, count }: Members): readonly unknown[] =>
  page.records.slice(index, index + count)

/** Returns a page for one parent that became a list, or for parents that were rejected. */
function expandedParents(parent: ParentPage, { index, count }: Members, record: ExpandedRecord): Page {
  const { parents, memory, url } = parent.page
  const page = {
    records: parent.originsAt(index, count),
    rejects: [],
    counts: { ...NO_READ_COUNTS, fetched: count },
    ...defined({
      parents,
      memory,
      url,
      wholeLists: record.type === 'list' ? membersOf(parent, { index, count }) : undefined,
    }),
  }
  const expansions = Array.from({ length: count }, () => record)
  return positioned(expandedPage(page, expansions), parent.positionInside(index + count))
}
