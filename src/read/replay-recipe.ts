// A recipe that reads one rejected record instead of its source.
import { RejectError } from '../model/errors.ts'
import type { Child, Recipe, Stage } from '../model/recipe.ts'
import type { FlatMap } from '../source/children/expand-records.ts'

/**
 * Returns a recipe with all stages as they are now. `rejectedLineage` is the rejected record as it was read, after its
 * ancestors. Each ancestor passes the stages before a `flatMap`; its function makes the child's recipe again, and that
 * child reads the next record of the lineage. Children of the rejected record itself are read from the API.
 */
export function replayRecipe(recipe: Recipe, rejectedLineage: readonly unknown[]): Recipe {
  let depth = 0

  /** `outer` is the next `flatMap` that the records of the recipe come to, if it has none itself. */
  const replaySource = ({ stages }: Recipe, outer?: FlatMap): Recipe => {
    const nextAfter = (index: number): FlatMap | undefined => stages.slice(index).find(isFlatMap) ?? outer
    const record = rejectedLineage[depth++]
    // An ancestor that was read in a batch stands for the whole batch.
    const isBatch = nextAfter(0)?.batch !== undefined && depth < rejectedLineage.length && Array.isArray(record)
    const records: readonly unknown[] = isBatch ? record : [record]
    // Without `incremental`, because no range may leave the record out.
    return {
      source: {
        read: async function* () {
          yield { records }
        },
      },
      stages: stages.map((stage, index) => (isFlatMap(stage) ? replayChild(stage, nextAfter(index + 1)) : stage)),
    }
  }

  const replayChild = (stage: FlatMap, next: FlatMap | undefined): FlatMap => {
    let isReplaced = false
    const replace = (child: Child): Child => {
      const isBelowLineage = !isReplaced && depth >= rejectedLineage.length
      if (!('recipe' in child) || isBelowLineage) return child
      if (isReplaced)
        throw new RejectError(
          'the stages now make several records from its parent, so it is unknown which of them it belongs to. ' +
            'Run the stream with --full',
        )
      isReplaced = true
      return { recipe: replaySource(child.recipe, next) }
    }
    return {
      ...stage,
      fn: (record, signal) => {
        const child = stage.fn(record, signal)
        return child instanceof Promise ? child.then(replace) : replace(child)
      },
    }
  }

  return replaySource(recipe)
}

const isFlatMap = (stage: Stage): stage is FlatMap => stage.type === 'flatMap'
