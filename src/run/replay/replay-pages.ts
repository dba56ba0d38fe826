import { replayRecord, type ReadOptions } from '../../read/read-recipe.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import type { StoredReject } from '../../ledger/read/read-rejects.ts'
import { END, type Page } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'

export interface ReplayPagesOptions extends ReadOptions {
  /** Rows have no key: one that is stored already would be stored twice. */
  readonly isKeyless: boolean
}

/**
 * Rejects as pages again, each in its turn: what a stage or the encoder rejected through the stages, what the database
 * refused as the row that it was. No page has a position but the last, so that all of them become one transaction.
 */
export async function* replayPages(
  rejects: readonly StoredReject[],
  recipe: Recipe,
  scope: Scope,
  options: ReplayPagesOptions,
): AsyncGenerator<Page, void, undefined> {
  for (const reject of rejects) {
    const record = parseJson(reject.record)
    const parents = reject.parents === undefined ? [] : (parseJson(reject.parents) as readonly unknown[])
    if (reject.stage === 'database')
      yield { records: [record], rejects: [], counts: { ...NO_READ_COUNTS, fetched: 1 }, areRows: true }
    else if (options.isKeyless && reject.stage !== 'flatMap')
      yield* unlessSeveral(withoutPositions(replayRecord(recipe, { record, parents }, scope, options)), {
        record,
        parents,
      })
    else yield* withoutPositions(replayRecord(recipe, { record, parents }, scope, options))
  }
  yield { records: [], rejects: [], counts: NO_READ_COUNTS, position: END }
}

async function* withoutPositions(pages: AsyncIterable<Page>): AsyncGenerator<Page, void, undefined> {
  for await (const { position: _position, highWaterMark: _high, ...page } of pages) yield page
}

/**
 * A record that became several rows, of which one was rejected: the others are stored, and without a key nothing could
 * tell that they are.
 */
async function* unlessSeveral(
  pages: AsyncIterable<Page>,
  { record, parents }: { readonly record: unknown; readonly parents: readonly unknown[] },
): AsyncGenerator<Page, void, undefined> {
  const all: Page[] = []
  for await (const { hold, ...page } of pages) {
    // It waits here for the others, which may need the memory.
    hold?.[Symbol.dispose]()
    all.push(page)
  }
  if (all.every(({ counts }) => counts.expanded === 0)) yield* all
  else {
    const reason =
      'it becomes several rows, of which some are stored already, and without a key they would be stored twice: give the table a key, or run the stream with --full into an empty table'
    yield {
      records: [],
      rejects: [{ stage: 'flatMap', reason, record, ...(parents.length > 0 && { parents }) }],
      counts: { ...NO_READ_COUNTS, fetched: 1, rejected: 1 },
    }
  }
}
