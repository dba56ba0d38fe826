import { openScope, type ScopeOptions } from '../../src/read/open-scope.ts'
import { readRecipe } from '../../src/read/read-recipe.ts'
import { isEnd, type Page } from '../../src/model/page.ts'
import type { Recipe } from '../../src/model/recipe.ts'
import type { Scope } from '../../src/model/scope.ts'
import type { SliceRead } from '../../src/model/slice.ts'
import { readSecrets } from '../../src/observe/secrets.ts'

export interface ReadingOptions extends Partial<SliceRead>, ScopeOptions {
  /** Pages to read before leaving. @default all */
  readonly pages?: number
  /** Receives each page when it is read. */
  readonly onPage?: (page: Page) => void
  /** Waits, by a clock of the test. */
  readonly sleep?: Scope['sleep']
}

/** Returns the pages of a recipe, as a run gets them. */
export async function readPages(
  { recipe }: { readonly recipe: Recipe },
  {
    pages = Infinity,
    signal,
    secrets = readSecrets({ TOKEN: 't0ken' }),
    emit,
    now,
    memory,
    sleep,
    onPage,
    ...reading
  }: ReadingOptions = {},
): Promise<Page[]> {
  await using scope = openScope({
    signal,
    secrets,
    ...(emit && { emit }),
    ...(now && { now }),
    ...(memory && { memory }),
  })
  const waiting: Scope = sleep ? { ...scope, sleep } : scope
  const read: Page[] = []
  for await (const page of readRecipe(recipe, { position: null, restart: 'page', ...reading }, waiting)) {
    page.hold?.[Symbol.dispose]()
    page.onStored?.()
    onPage?.(page)
    checkEquation(page)
    read.push(page)
    if (read.length >= pages) break
  }
  return read
}

export const recordsOf = (pages: readonly Page[]): unknown[] => pages.flatMap(({ records }) => records)

/** Throws unless fetched + expanded = remaining records + filtered + duplicate + rejected, and the end has a grade. */
function checkEquation({
  records,
  counts: { fetched, expanded, filtered, duplicate, rejected, ...counts },
  rejects,
  origins,
  position,
  completeness,
}: Page): void {
  const right = records.length + filtered + duplicate + rejected
  if (fetched + expanded !== right) throw new Error(`${fetched} + ${expanded} ≠ ${right}`)
  if (Object.values(counts).some((count) => count < 0) || rejects.length !== rejected)
    throw new Error('rejects and counts differ')
  if (isEnd(position) && !completeness) throw new Error('the last page does not say whether the reading was complete')
  if (origins && origins.length !== records.length) throw new Error('origins and records differ')
}
