import { readRecipe, type ReadOptions } from '../define/read.ts'
import { parseJson } from '../http/parse-json.ts'
import type { StoredReject } from '../ledger/read-rejects.ts'
import { END, type Page, type ReadCounts } from '../model/page.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'
import { replayRecipe } from './replay-recipe.ts'

/**
 * Rejects as pages again, each in its turn: what a stage or the encoder rejected through the stages, what the database refused as the row that
 * it was. No page has a position but the last, so that all of them become one transaction.
 */
export async function* replayPages(rejects: readonly StoredReject[], recipe: Recipe, scope: Scope, options: ReadOptions): AsyncGenerator<Page, void, undefined> {
  for (const { stage, record, parents } of rejects) {
    const read = parseJson(record)
    if (stage === 'database') {
      yield { records: [read], rejects: [], counts: { ...nothing, fetched: 1 }, areRows: true }
      continue
    }
    const chain = [...(parents === undefined ? [] : (parseJson(parents) as readonly unknown[])), read]
    for await (const { position: _position, high: _high, ...page } of readRecipe(replayRecipe(recipe, chain), { position: null, reenter: 'page' }, scope, options)) yield page
  }
  yield { records: [], rejects: [], counts: nothing, position: END }
}

const nothing: ReadCounts = { fetched: 0, expanded: 0, filtered: 0, duplicate: 0, rejected: 0, parents: 0 }
