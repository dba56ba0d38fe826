// Gives the functions of a recipe the clients of the run, for their `fetch`. A recipe holds no client and its functions
// are not passed one, so the context travels with the asynchronous calls.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { MemoryAccount } from '../flow/memory-account.ts'
import type { Read } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'

/** The context of a function that the run calls: a stage, or a custom source. */
export interface FetchContext {
  readonly scope: Scope
  /** The account for the next body that is fetched. */
  memory: MemoryAccount
  /** The bodies that were fetched since the last page. */
  readonly holds: Disposable[]
}

const storage = new AsyncLocalStorage<FetchContext>()

/** Returns undefined outside a run. */
export const currentFetchContext = (): FetchContext | undefined => storage.getStore()

/**
 * Yields pages whose stages find the context. Bodies that stages fetch are not counted: a stage runs while its page
 * holds memory, so waiting for more could block the run for ever. They are bounded by the stage's concurrency instead.
 */
export async function* provideFetchToStages<T>(
  scope: Scope,
  pages: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const context: FetchContext = { scope, memory: UNCOUNTED, holds: [] }
  try {
    for (;;) {
      const step = await storage.run(context, () => pages.next())
      if (step.done) return
      context.holds.length = 0
      yield step.value
    }
  } finally {
    await storage.run(context, () => pages.return())
  }
}

/**
 * Returns a custom source that finds the context. Bodies that it fetches count in the memory budget until the page that
 * it yields next is released.
 */
export const provideFetchToSource = (read: Read<unknown>, scope: Scope): Read<unknown> =>
  async function* (readContext) {
    const context: FetchContext = { scope, memory: scope.memory, holds: [] }
    const pages = read(readContext)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const step = await storage.run(context, () => pages.next())
        if (step.done) return
        const { memory } = context
        context.memory = scope.memory
        const holds = context.holds.splice(0)
        yield holds.length === 0 ? step.value : { ...step.value, hold: joinHolds(holds), memory }
      }
    } finally {
      joinHolds(context.holds)[Symbol.dispose]()
      await storage.run(context, async () => {
        await pages.return?.()
      })
    }
  }

function joinHolds(holds: readonly Disposable[]): Disposable {
  const joined = new DisposableStack()
  for (const hold of holds) joined.use(hold)
  return joined
}

/** An account without a limit. */
const UNCOUNTED: MemoryAccount = {
  reserve: () => Promise.resolve({ resize: () => {}, [Symbol.dispose]: () => {} }),
  child: () => UNCOUNTED,
  recheck: () => {},
}
