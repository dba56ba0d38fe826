import { AsyncLocalStorage } from 'node:async_hooks'
import type { MemoryAccount } from '../flow/memory-account.ts'
import type { Read } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'

/**
 * What a reading lends to the functions that it calls, since a recipe holds no client and a function is not passed one.
 */
export interface FetchContext {
  readonly scope: Scope
  /** Where to take the bytes of a body that is fetched; it is given back with the page under way. */
  memory: MemoryAccount
  readonly holds: Disposable[]
}

const storage = new AsyncLocalStorage<FetchContext>()

/** What the reading lends that this function was called by, if it was by one. */
export const currentFetchContext = (): FetchContext | undefined => storage.getStore()

/** Pages, read so that every function on their way finds the scope. */
export async function* withFetchContext<T>(
  scope: Scope,
  pages: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const here: FetchContext = { scope, memory: uncounted, holds: [] }
  try {
    for (;;) {
      const step = await storage.run(here, () => pages.next())
      if (step.done) return
      here.holds.length = 0
      yield step.value
    }
  } finally {
    await storage.run(here, () => pages.return())
  }
}

/**
 * A source of one's own, called so that what it fetches counts as held until the page that it makes of it has been
 * given back. Each further fetch goes below the ones before, which it would otherwise wait for.
 */
export const accountFetches = (read: Read<unknown>, scope: Scope): Read<unknown> =>
  async function* (context) {
    const here: FetchContext = { scope, memory: scope.memory, holds: [] }
    const pages = read(context)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const step = await storage.run(here, () => pages.next())
        if (step.done) return
        const { memory } = here
        here.memory = scope.memory
        const holds = here.holds.splice(0)
        yield holds.length === 0 ? step.value : { ...step.value, ...heldBy(holds), memory }
      }
    } finally {
      heldBy(here.holds).hold[Symbol.dispose]()
      await storage.run(here, async () => {
        await pages.return?.()
      })
    }
  }

function heldBy(holds: readonly Disposable[]): { readonly hold: Disposable } {
  const hold = new DisposableStack()
  for (const one of holds) hold.use(one)
  return { hold }
}

/**
 * For stages: their page is held already, and may be what others wait for, so that waiting here could be for ever.
 * Their bodies are bounded by their concurrency, and become garbage with the record.
 */
const uncounted: MemoryAccount = {
  reserve: () => Promise.resolve({ resize: () => {}, [Symbol.dispose]: () => {} }),
  child: () => uncounted,
  recheck: () => {},
}
