import { Channel } from '../../flow/channel.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { SourceReader } from '../../flow/source-reader.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { PositionLostError, UsageError } from '../../model/errors.ts'
import { END, isEnd, type Page, type Position } from '../../model/page.ts'
import type { Recipe, Stage } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { childPosition, ParentDigests, START, type ChildPosition } from './child-position.ts'
import { ChildReader, type ReadRecipe } from './child-reader.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { expandedPage, expandRecords, rejected, rejectOf, type Expansion } from './expand.ts'

export interface ChildrenOptions {
  readonly parents: (reading: SliceRead, scope: Scope) => AsyncIterable<Page>
  readonly stage: Extract<Stage, { readonly type: 'flatMap' }>
  readonly read: ReadRecipe
  /** The chain has taken its cursor already, so that no child may take another. */
  readonly hasCursor: boolean
}

/** A page of parents while its children are read. */
interface ParentPage {
  readonly page: Page
  readonly digests: ParentDigests
  /** From where it is read again; undefined where its reader could not say. */
  readonly resumeAt: Position | undefined
}

/** What is handed on next, in the order of the parents. */
type Turn =
  | { readonly page: Page }
  | {
      readonly parent: ParentPage
      readonly place: number
      readonly made: Exclude<Expansion, { readonly recipe: Recipe }>
    }
  | { readonly parent: ParentPage; readonly place: number; readonly child: ChildReader; readonly permit: Disposable }
  | { readonly parent: ParentPage; readonly place: 'end' }

/**
 * The children of each parent, `concurrency` at a time, handed on page by page in the order of their parents, so that a
 * position is a prefix of everything before it. The children of the next page of parents begin while those of the last
 * one end.
 */
export async function* readChildren(
  children: ChildrenOptions,
  reading: SliceRead,
  scope: Scope,
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(reading.position)) return
  await using reader = new ChildrenReader(children, reading, scope)
  yield* reader.pages()
}

class ChildrenReader implements AsyncDisposable {
  readonly #children: ChildrenOptions
  readonly #reading: SliceRead
  readonly #scope: Scope
  readonly #link: LinkedSignal
  readonly #turns: Channel<Turn>
  readonly #slots: Semaphore
  readonly #open = new Set<ChildReader>()
  readonly #holds = new Set<Disposable>()
  #filling: Promise<void> = Promise.resolve()
  /** Some record had a stream of its own, so that these records are parents, which are counted apart. */
  #hasChildren = false

  constructor(children: ChildrenOptions, reading: SliceRead, scope: Scope) {
    this.#children = children
    this.#reading = reading
    this.#link = new LinkedSignal(scope.signal)
    this.#scope = { ...scope, signal: this.#link.signal }
    this.#turns = new Channel(children.stage.concurrency)
    this.#slots = new Semaphore(children.stage.concurrency)
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    this.#filling = this.#fill().then(
      () => this.#turns.close(),
      (error: unknown) => this.#turns.close(error),
    )
    for await (const turn of this.#turns.read({ signal: this.#scope.signal })) {
      if ('page' in turn) yield turn.page
      else if (turn.place === 'end') yield this.#ended(turn.parent)
      else if ('child' in turn) yield* this.#childPages(turn)
      else
        yield {
          ...expandOne(turn.parent.page, turn.place, turn.made),
          ...positioned(this.#inside(turn.parent, turn.place + 1)),
        }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.abort(new DOMException('The reader of these children left', 'AbortError'))
    await this.#filling
    await Promise.all([...this.#open].map((child) => child[Symbol.asyncDispose]()))
    for (const hold of this.#holds) hold[Symbol.dispose]()
    this.#link[Symbol.dispose]()
  }

  /** Reads parents and starts their children, as far ahead as there are slots. */
  async #fill(): Promise<void> {
    const begin = childPosition(this.#reading.position)
    const parents = new SourceReader(
      (signal) => this.#children.parents({ ...this.#reading, position: begin.at }, { ...this.#scope, signal }),
      this.#scope.signal,
    )
    try {
      let resume: ChildPosition | undefined = begin
      this.#hasChildren = begin.apart ?? false
      let at: Position | undefined = begin.at
      for (let step = await parents.next(); !step.done; step = await parents.next()) {
        await this.#fillPage({ page: step.value, digests: new ParentDigests(step.value), resumeAt: at }, resume)
        at = step.value.position
        resume = undefined
      }
    } catch (error) {
      await parents.abandon()
      throw error
    }
    await parents.close()
  }

  async #fillPage(parent: ParentPage, resume: ChildPosition | undefined): Promise<void> {
    const { page } = parent
    const { signal } = this.#scope
    if (page.hold) this.#holds.add(page.hold)
    const { done, child } = this.#entry(parent, resume ?? START)
    const made = await expandRecords(page.records, done, this.#children.stage, signal)
    const lists = made.filter((one): one is Exclude<Expansion, { readonly recipe: Recipe }> => !('recipe' in one))
    this.#hasChildren ||= lists.length < made.length
    if (lists.length === made.length && done === 0 && child === null && (lists.length > 0 || !this.#hasChildren)) {
      await this.#turns.send(
        { page: { ...page, ...expandedPage(page, lists), ...positioned(this.#behind(page)) } },
        { signal },
      )
      if (page.hold) this.#holds.delete(page.hold) // It goes with the page.
      return
    }
    for (const [index, one] of made.entries()) {
      const place = done + index
      if (!('recipe' in one)) {
        await this.#turns.send({ parent, place, made: one }, { signal })
        continue
      }
      if (this.#children.hasCursor && hasCursor(one.recipe))
        throw new UsageError(
          '.incremental() stands twice in this chain, before .flatMap and in the child: keep the one whose cursor says what is new',
        )
      const permit = await this.#slots.acquire({ signal })
      const reader = new ChildReader(
        one.recipe,
        { ...this.#reading, position: index === 0 ? child : null },
        this.#scope,
        page.memory ?? this.#scope.memory,
        this.#children.read,
      )
      this.#open.add(reader)
      await this.#turns.send({ parent, place, child: reader, permit }, { signal })
    }
    await this.#turns.send({ parent, place: 'end' }, { signal })
  }

  /** Where in the page to begin: where the last run stopped, unless what it had read has changed since. */
  #entry({ digests }: ParentPage, position: ChildPosition): Pick<ChildPosition, 'done' | 'child'> {
    if (digests.of(position.child === null ? position.done : position.done + 1) === position.digest) return position
    if (this.#reading.restart === 'page') return START
    throw new PositionLostError(
      'the parents before the stored position have changed since it was stored, so the reading begins anew',
    )
  }

  async *#childPages({
    parent,
    place,
    child,
    permit,
  }: Extract<Turn, { readonly child: ChildReader }>): AsyncGenerator<Page, void, undefined> {
    const parents = [...(parent.page.parents ?? []), originAt(parent.page, place)]
    try {
      for (let step = await child.next(); !step.done; step = await child.next()) {
        const { position, ...page } = step.value
        yield {
          ...page,
          ...positioned(
            position === undefined
              ? undefined
              : isEnd(position)
                ? this.#inside(parent, place + 1)
                : this.#inside(parent, place, position),
          ),
          parents: [...parents, ...(page.parents ?? [])],
          rejects: page.rejects.map((reject) => ({ ...reject, parents: [...parents, ...(reject.parents ?? [])] })),
        }
      }
    } catch (error) {
      if (!child.isParentsFault(error)) throw error
      yield {
        ...expandOne(parent.page, place, rejected(error, this.#scope.signal)),
        ...positioned(this.#inside(parent, place + 1)),
      }
    } finally {
      await child[Symbol.asyncDispose]()
      this.#open.delete(child)
      permit[Symbol.dispose]()
    }
  }

  /**
   * What belongs to the page of parents as a whole goes out once, with its end: a resume inside of it must not repeat
   * it.
   */
  #ended({ page }: ParentPage): Page {
    const { counts, rejects, highWaterMark, boundaryMatches, hold } = page
    if (hold) {
      this.#holds.delete(hold)
      hold[Symbol.dispose]()
      this.#scope.memory.recheck()
    }
    return {
      records: [],
      rejects,
      ...(highWaterMark && { highWaterMark }),
      ...(boundaryMatches && { boundaryMatches }),
      ...(page.parents && { parents: page.parents }),
      ...positioned(this.#behind(page)),
      counts: {
        ...NO_READ_COUNTS,
        fetched: counts.rejected,
        rejected: counts.rejected,
        parents: counts.parents + counts.fetched,
      },
    }
  }

  /** A position inside a page of parents. */
  #inside({ resumeAt: at, digests }: ParentPage, done: number, child: Position = null): Position | undefined {
    if (at === undefined) return undefined
    return { at, done, digest: digests.of(child === null ? done : done + 1) ?? '', child, ...this.#apart() }
  }

  /** The position behind a page of parents. */
  #behind({ position }: Page): Position | undefined {
    if (position === undefined || isEnd(position)) return position && END
    return { ...START, at: position, ...this.#apart() }
  }

  #apart(): { readonly apart?: true } {
    return this.#hasChildren ? { apart: true } : {}
  }
}

const originAt = ({ origins, records }: Page, place: number): unknown => (origins ?? records)[place]

/** One parent for which a list stands, or which was rejected. */
function expandOne(page: Page, place: number, made: Exclude<Expansion, { readonly recipe: Recipe }>): Page {
  const origin = originAt(page, place)
  const { parents, memory } = page
  const one = {
    records: [origin],
    rejects: [],
    counts: { ...NO_READ_COUNTS, fetched: 1 },
    ...(parents && { parents }),
    ...(memory && { memory }),
  }
  return 'reason' in made
    ? {
        ...one,
        records: [],
        counts: { ...NO_READ_COUNTS, fetched: 1, rejected: 1 },
        rejects: [rejectOf(made.reason, origin, page)],
      }
    : { ...one, ...expandedPage(one, [made]) }
}

const positioned = (position: Position | undefined): { readonly position?: Position } =>
  position === undefined ? {} : { position }

/** Whether a recipe takes a cursor. */
const hasCursor = (recipe: Recipe): boolean => recipe.incremental !== undefined
