// Tells records that were touched after a reading began.
import type { Incremental } from '../../model/recipe.ts'
import { instantMs } from '../../value/instant.ts'
import { scalarText } from '../../value/key-texts.ts'
import { cursorAt } from '../cursor/cursor-at.ts'
import { instantOf } from '../cursor/bound-value.ts'
import { valueFrom } from '../response-value.ts'

/** Returns undefined if the start is not known, or the records have no time. */
export function newerThan(
  startedAt: Date | undefined,
  incremental: Incremental | undefined,
): ((record: unknown) => boolean) | undefined {
  if (!startedAt || !incremental) return undefined
  const { unit } = incremental
  const at = cursorAt(incremental)
  return (record) => {
    const text = scalarText(valueFrom(at, record))
    const instant = text === undefined ? undefined : instantOf(text, unit)
    return instant !== undefined && instantMs(instant) > startedAt.getTime()
  }
}
