import { RejectError } from '../model/errors.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import { openScope } from './open-scope.ts'
import { readRecipe } from './read-recipe.ts'

/**
 * The rows of a recipe without a database. There is no table of rejects here, so a rejected record is an error, after
 * the rows before its page.
 */
export async function* readRows(
  recipe: Recipe,
  { signal, since, until }: Range & { readonly signal?: AbortSignal },
): AsyncGenerator<unknown, void, undefined> {
  await using scope = openScope({ signal })
  for await (const { records, rejects, hold } of readRecipe(
    recipe,
    { position: null, restart: 'page', since, until },
    scope,
  )) {
    hold?.[Symbol.dispose]()
    const [reject] = rejects
    if (reject)
      throw new RejectError(
        `${reject.stage}: ${reject.reason}; the record is ${scope.secrets.hide(shown(reject.record))}`,
      )
    yield* records
  }
}

function shown(record: unknown): string {
  try {
    const text =
      JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)) ??
      String(record)
    return text.length > 500 ? `${text.slice(0, 499)}…` : text
  } catch {
    return 'not JSON'
  }
}
