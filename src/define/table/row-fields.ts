// The fields that rows have after the stages of a recipe, as far as the recipe says so by name.
import type { Recipe } from '../../model/recipe.ts'

/** Returns the name that rows have for the cursor's field, or undefined if they have no such field. */
export function cursorFieldOfRows({ incremental, stages }: Recipe): string | undefined {
  if (typeof incremental?.at !== 'string' || incremental.at.includes('.')) return undefined
  let field: string | undefined = incremental.at
  for (const stage of stages) {
    if (stage.type === 'flatMap') return undefined // Later stages see the children, with other fields.
    if (stage.type === 'rename' && stage.from === field) field = stage.to
    if (stage.type === 'pick' && !stage.fields.includes(field)) return undefined
    if (stage.type === 'omit' && stage.fields.includes(field)) return undefined
  }
  return field
}

/**
 * Returns the stage that removes a field, such as `.omit()`. Returns undefined if the field may be there: no
 * stage names it, or a later `.map()` makes new records.
 */
export function stageThatDrops({ stages }: Recipe, field: string): `.${string}()` | undefined {
  for (const stage of stages.toReversed()) {
    switch (stage.type) {
      case 'map':
      case 'flatMap':
      case 'validate':
      case 'offload':
        return undefined
      case 'rename':
        if (stage.to === field) return undefined
        if (stage.from === field) return `.${stage.type}()`
        break
      case 'pick':
        if (!stage.fields.includes(field)) return `.${stage.type}()`
        break
      case 'omit':
        if (stage.fields.includes(field)) return `.${stage.type}()`
        break
      case 'flag':
        if (stage.name === field) return undefined
        break
      case 'filter':
      case 'deleted':
      case 'tap':
      case 'dedupe':
    }
  }
  return undefined
}

/** True if a stage makes other records, whose fields may hold other values. */
export const remakesRecords = ({ stages }: Recipe): boolean =>
  stages.some(({ type }) => type === 'map' || type === 'flatMap' || type === 'validate' || type === 'offload')
