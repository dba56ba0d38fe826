// The finished rows of a recipe, without a database.
import { RejectError } from '../model/errors.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import { openScope } from './open-scope.ts'
import { readRecipe } from './read-recipe.ts'

/** Characters of a record that an error quotes. */
const MAX_QUOTED = 500

/** Yields the rows of one page after another. Throws at the first reject, because no table can take it. */
export async function* readRows(
  recipe: Recipe,
  { signal, since, until }: Range & { readonly signal?: AbortSignal },
): AsyncGenerator<unknown, void, undefined> {
  await using scope = openScope({ signal })
  for await (const page of readRecipe(recipe, { position: null, restart: 'page', since, until }, scope)) {
    page.hold?.[Symbol.dispose]()
    const [reject] = page.rejects
    if (reject) {
      const record = scope.secrets.hide(quote(reject.record))
      throw new RejectError(`${reject.stage}: ${reject.reason}. The record is ${record}`)
    }
    yield* page.records
  }
}

function quote(record: unknown): string {
  try {
    const json = JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
    const text = json ?? String(record)
    return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED - 1)}…` : text
  } catch {
    return 'not JSON'
  }
}
