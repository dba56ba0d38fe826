// The finished rows of a recipe, without a database.
import { openText, worstOf, type Completeness } from '../model/completeness.ts'
import { IncompleteError, RejectError } from '../model/errors.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import { openScope } from './open-scope.ts'
import { readSteps } from './read-steps.ts'

/** Characters of a record that an error quotes. */
const MAX_QUOTED = 500

export interface ReadRowsOptions extends Range {
  readonly signal?: AbortSignal
  /** `'any'` accepts a reading of which it is not proven that it has read everything. @default 'required' */
  readonly complete?: 'required' | 'any'
}

/**
 * Yields the rows of one page after another. Throws at the first reject, because no table can take it, and after the
 * last row of a reading that is `open`.
 */
export async function* readRows(
  recipe: Recipe,
  { signal, since, until, complete = 'required' }: ReadRowsOptions,
): AsyncGenerator<unknown, void, undefined> {
  await using scope = openScope({ signal })
  let completeness: Completeness | undefined
  for await (const page of readSteps(recipe, { since, until }, scope)) {
    page.hold?.[Symbol.dispose]()
    const [reject] = page.rejects
    if (reject) {
      const record = scope.secrets.hide(quote(reject.record))
      throw new RejectError(`${reject.stage}: ${reject.reason}. The record is ${record}`)
    }
    yield* page.records
    completeness = worstOf(completeness, page.completeness)
  }
  const open = openText(completeness)
  if (open === undefined || complete === 'any') return
  throw new IncompleteError(
    `it is not proven that everything was read: ${open}. ` +
      "Correct what is named here, or accept such readings with rows({ complete: 'any' })",
    { reasons: completeness?.reasons ?? [] },
  )
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
