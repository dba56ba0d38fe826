import { NO_READ_COUNTS } from '../../model/counts.ts'
import type { Page } from '../../model/page.ts'
import type { Recipe, Stage } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { PageStage } from '../../transform/compile-stages.ts'
import { throughStages } from '../../transform/through-stages.ts'

/**
 * Returns the page of rows that a run would make of some records, with the rejects of stages. Undefined if the stages
 * may do more than that: read children, send requests, or pass records to other programs. A check must have no effect.
 */
export async function firstRows(
  { stages }: Pick<Recipe, 'stages'>,
  records: readonly unknown[],
  scope: Pick<Scope, 'signal'>,
): Promise<Page | undefined> {
  const harmless = stages.filter(isHarmless)
  if (harmless.length < stages.length) return undefined
  for await (const page of throughStages(onePage(records), harmless, scope)) return page
  return undefined
}

async function* onePage(records: readonly unknown[]): AsyncGenerator<Page> {
  yield { records, counts: { ...NO_READ_COUNTS, fetched: records.length }, rejects: [] }
}

const HARMLESS: readonly Stage['type'][] = ['validate', 'dedupe', 'flag', 'rename', 'pick', 'omit']

/** An async function may send requests. */
const isHarmless = (stage: Stage): stage is PageStage =>
  (stage.type === 'map' || stage.type === 'filter' || stage.type === 'deleted') && 'fn' in stage
    ? stage.fn.constructor.name === 'Function'
    : stage.type === 'deleted' || HARMLESS.includes(stage.type)
