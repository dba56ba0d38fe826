import { RejectError } from '../model/errors.ts'
import type { Child, Recipe, Stage } from '../model/recipe.ts'

type FlatMap = Extract<Stage, { readonly type: 'flatMap' }>

/**
 * A recipe that reads one rejected record instead of asking the API, and sends it through all stages as they are now.
 * `chain` is that record as it was read, after the records that it hangs from: these go through the stages before
 * `.flatMap` again, its function is asked for the child's recipe again, and the child reads the next of the chain.
 * Children beyond the chain, of a parent that was rejected itself, are read from the API.
 */
export function replayRecipe(recipe: Recipe, chain: readonly unknown[]): Recipe {
  let next = 0
  const level = ({ stages }: Recipe): Recipe => {
    const records = [chain[next++]]
    // Without its .incremental: no range may leave the record out.
    return {
      source: {
        read: async function* () {
          yield { records }
        },
      },
      stages: stages.map((stage) => (stage.type === 'flatMap' ? instead(stage) : stage)),
    }
  }
  const instead = (stage: FlatMap): FlatMap => {
    let used = false
    const replaced = (child: Child): Child => {
      if (!('recipe' in child) || (!used && next >= chain.length)) return child
      if (used)
        throw new RejectError(
          'the record that it hangs from has become several by now, so it cannot be told which of them: run the stream with --full',
        )
      used = true
      return { recipe: level(child.recipe) }
    }
    return {
      ...stage,
      fn: (record, signal) => {
        const child = stage.fn(record, signal)
        return child instanceof Promise ? child.then(replaced) : replaced(child)
      },
    }
  }
  return level(recipe)
}
