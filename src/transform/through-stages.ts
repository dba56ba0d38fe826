// Pages in, pages out: sends each page of a source through the stages of its recipe.
import { WorkerPool } from '../flow/worker-pool.ts'
import type { Page } from '../model/page.ts'
import type { Scope } from '../model/scope.ts'
import { compileStages, type PageStage } from './compile-stages.ts'
import { finishedPage, mutablePage, type CompiledStage } from './mutable-page.ts'

export interface StagesOptions {
  /** Threads for `offload`, shared by all streams. @default its own threads, ended together with the pages */
  readonly workers?: Pick<WorkerPool, 'run'>
  /** The fields of the key, as records have them behind the stages. @default none: tombstones are not compared */
  readonly key?: readonly string[] | undefined
}

/**
 * Yields one page for each page, with the same position. A page that the stages emptied is yielded too. The counts of
 * every page stay in balance, because each stage counts the records that it filters or rejects.
 */
export async function* throughStages(
  pages: AsyncIterable<Page>,
  stages: readonly PageStage[],
  scope: Pick<Scope, 'signal'>,
  { workers, key }: StagesOptions = {},
): AsyncGenerator<Page, void, undefined> {
  await using resources = new AsyncDisposableStack()
  const compiled = compileStages(stages, {
    signal: scope.signal,
    workers: () => workers ?? resources.use(new WorkerPool()),
    key,
  })
  for await (const page of pages) yield await applyStages(page, compiled)
}

/** Releases the page's memory if a stage throws. */
async function applyStages(page: Page, stages: readonly CompiledStage[]): Promise<Page> {
  const changing = mutablePage(page)
  try {
    for (const stage of stages) {
      // Most stages are synchronous: without a promise there is nothing to wait for.
      const promise = stage(changing)
      if (promise) await promise
    }
  } catch (error) {
    page.hold?.[Symbol.dispose]()
    throw error
  }
  return finishedPage(page, changing)
}
