import { WorkerPool } from '../flow/worker-pool.ts'
import type { Page } from '../model/page.ts'
import type { Scope } from '../model/scope.ts'
import { compile, type PageStage } from './compile.ts'
import { changedPage, working, type Change } from './working.ts'

export interface StagesOptions {
  /** Threads for `offload`, shared by all streams. @default one's own, ended with the reading */
  readonly workers?: Pick<WorkerPool, 'run'>
}

/**
 * Pages in, pages out. Each page keeps the equation of its counts: what a stage drops, refuses or rejects is counted
 * where it happens, and a page that was emptied still goes on with its position.
 */
export async function* throughStages(
  pages: AsyncIterable<Page>,
  stages: readonly PageStage[],
  scope: Pick<Scope, 'signal'>,
  { workers }: StagesOptions = {},
): AsyncGenerator<Page, void, undefined> {
  await using own = new AsyncDisposableStack()
  const changes = compile(stages, { signal: scope.signal, workers: () => workers ?? own.use(new WorkerPool()) })
  for await (const page of pages) yield await changed(page, changes)
}

async function changed(page: Page, changes: readonly Change[]): Promise<Page> {
  const left = working(page)
  try {
    for (const change of changes) {
      const waiting = change(left)
      if (waiting) await waiting
    }
  } catch (error) {
    page.hold?.[Symbol.dispose]()
    throw error
  }
  return changedPage(page, left)
}
