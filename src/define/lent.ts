import { AsyncLocalStorage } from 'node:async_hooks'
import type { Scope } from '../model/scope.ts'

/** The scope of the reading under way, for what a user's function fetches: a recipe holds no client, and a function is not passed one. */
const scopes = new AsyncLocalStorage<Scope>()

/** The scope of the reading that this function was called by, if it was. */
export const lentScope = (): Scope | undefined => scopes.getStore()

/** Pages, read so that every function on their way finds the scope. */
export async function* lent<T>(scope: Scope, pages: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  try {
    for (;;) {
      const step = await scopes.run(scope, () => pages.next())
      if (step.done) return
      yield step.value
    }
  } finally {
    await scopes.run(scope, () => pages.return())
  }
}
