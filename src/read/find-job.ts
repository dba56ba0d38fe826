// Finds the definition of a job that a position waits for: a child's recipe is made of its parent, which is read again.
import { END, type Position } from '../model/page.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import type { GivenUpReading, SliceRead } from '../model/slice.ts'
import { NO_READ_COUNTS } from '../model/counts.ts'
import { asChildPosition } from '../source/children/child-position.ts'
import { readUpToChildren } from './read-recipe.ts'

export type JobPlace = Pick<GivenUpReading, 'position' | 'recipes' | 'haveParentsChanged'> & {
  /** The recipes are those of children. @default false */
  readonly areChildren?: boolean
}

/**
 * Returns the position of a job by itself, and the recipes that may have started it: none if the parents now have no
 * children. `place` is that of the whole reading. The page of parents that the job stands below is read again, on each
 * level; no other job is started by that. Throws if it cannot be read.
 */
export async function findJob(place: JobPlace, range: Range, scope: Scope): Promise<JobPlace> {
  const { recipes, areChildren = false } = place
  const [recipe] = recipes
  if (!recipe) return place
  const { position, stage, child } = unfinished(place.position, recipe)
  if (stage === undefined || child === undefined) return { ...place, position }
  const found = await childrenAt(recipe, { ...range, position, restart: 'page' }, scope, { stage, areChildren })
  const haveParentsChanged = place.haveParentsChanged || found.haveParentsChanged
  return findJob({ recipes: found.recipes, position: child, haveParentsChanged, areChildren: true }, range, scope)
}

interface Unfinished {
  readonly position: Position
  /** The index of the stage whose children have begun. */
  readonly stage?: number
  /** The position of the child that has begun. */
  readonly child?: Position
}

/** Returns the position inside the children of a stage that have begun, or else that of the recipe's source. */
function unfinished(whole: Position, { stages }: Recipe): Unfinished {
  let position = whole
  for (let stage = stages.length - 1; stage >= 0; stage -= 1) {
    const inside = stages[stage]?.type === 'flatMap' ? asChildPosition(position) : undefined
    if (!inside) continue
    if (inside.child !== null) return { position, stage, child: inside.child }
    position = inside.at
  }
  return { position }
}

/** Returns the recipes of the children of a stage at a position. */
async function childrenAt(
  recipe: Recipe,
  slice: SliceRead,
  scope: Scope,
  { stage, areChildren }: { readonly stage: number; readonly areChildren: boolean },
): Promise<Pick<JobPlace, 'recipes' | 'haveParentsChanged'>> {
  let found: Pick<JobPlace, 'recipes' | 'haveParentsChanged'> = { recipes: [], haveParentsChanged: true }
  const pages = readUpToChildren(
    recipe,
    {
      ...slice,
      // oxlint-disable-next-line typescript/require-await -- The contract of the callback.
      onGivenUp: async ({ recipes }) => {
        found = { recipes, haveParentsChanged: true }
      },
    },
    // Other streams of the run do not read this page with it.
    { ...scope, sharedList: () => undefined },
    {
      stage,
      isChild: areChildren,
      // oxlint-disable-next-line typescript/require-await -- The pages of a source.
      read: async function* (child, { position }) {
        if (position !== null) found = { recipes: [child], haveParentsChanged: false }
        yield { records: [], rejects: [], counts: NO_READ_COUNTS, position: END }
      },
    },
  )
  for await (const { hold } of pages) {
    hold?.[Symbol.dispose]()
    break
  }
  return found
}
