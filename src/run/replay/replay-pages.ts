import type { StoredReject } from '../../ledger/read/read-rejects.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { END, replayAs, type Page, type Reject } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import { replayRecord, type ReadOptions } from '../../read/read-recipe.ts'
import { CUT } from '../../value/json/kept-as-json.ts'
import { parseStoredJson } from '../../value/json/stored-json.ts'

export interface ReplayPagesOptions extends ReadOptions {
  /** The table has no key: a row that is stored already would be stored twice. */
  readonly isKeyless: boolean
}

type Pages = AsyncGenerator<Page, void, undefined>

/**
 * Yields rejects as pages again, in their order. A rejected row is sent as it is, a rejected record goes through the
 * stages. Only the last page has a position, so all of them become one transaction.
 */
export async function* replayPages(
  rejects: readonly StoredReject[],
  recipe: Recipe,
  scope: Scope,
  options: ReplayPagesOptions,
): Pages {
  for (const { stage, record: recordJson, parents: parentsJson } of rejects) {
    const record = parseStoredJson(recordJson)
    const parents = parentsJson === undefined ? [] : (parseStoredJson(parentsJson) as readonly unknown[])
    // What was cut would be stored without its inner part.
    const kind = recordJson.includes(JSON.stringify(CUT)) ? 'unreadable' : replayAs(stage)
    if (kind === 'row') yield rowPage(record)
    else if (kind === 'unreadable') yield unreadablePage(record)
    else {
      const pages = withoutPositions(replayRecord(recipe, { record, parents }, scope, options))
      yield* options.isKeyless && kind === 'record' ? rejectSeveralRows(pages, { record, parents }) : pages
    }
  }
  yield { records: [], rejects: [], counts: NO_READ_COUNTS, position: END }
}

/** A row that is rejected again has to be kept as a row. */
const rowPage = (row: unknown): Page => ({
  records: [row],
  rejects: [],
  counts: { ...NO_READ_COUNTS, fetched: 1 },
  rejectStage: 'database',
})

/** What could not be read as a record is rejected again. */
const unreadablePage = (record: unknown): Page => ({
  records: [],
  rejects: [
    {
      stage: 'read',
      reason: 'it could not be read as a record, so there is nothing to send again: run the stream with --full',
      record,
    },
  ],
  counts: { ...NO_READ_COUNTS, fetched: 1, rejected: 1 },
})

/** A replay reads no stream to its end, so it has no grade. Only a child that it reads from the API may be open. */
async function* withoutPositions(pages: AsyncIterable<Page>): Pages {
  for await (const { position: _position, highWaterMark: _high, completeness, ...page } of pages)
    yield completeness?.grade === 'open' ? { ...page, completeness } : page
}

/**
 * Rejects a record again if it becomes several rows. All but the rejected one are stored, and without a key nothing
 * shows which ones.
 */
async function* rejectSeveralRows(
  pages: AsyncIterable<Page>,
  { record, parents }: Pick<Reject, 'record'> & { readonly parents: readonly unknown[] },
): Pages {
  const all: Page[] = []
  for await (const { hold, ...page } of pages) {
    // This page waits for the others, which may need its memory.
    hold?.[Symbol.dispose]()
    all.push(page)
  }
  if (all.every(({ counts }) => counts.expanded === 0)) {
    yield* all
    return
  }
  const reason =
    'it becomes several rows. Some are stored already, and without a key they would be stored twice: ' +
    'give the table a key, or run the stream with --full into an empty table'
  yield {
    records: [],
    rejects: [{ stage: 'flatMap', reason, record, ...(parents.length > 0 && { parents }) }],
    counts: { ...NO_READ_COUNTS, fetched: 1, rejected: 1 },
  }
}
