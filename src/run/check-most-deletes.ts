import type { Pipeline } from '../define/pipeline.ts'
import { UsageError } from '../model/errors.ts'
import { mostDeletesProblem } from '../model/mirror.ts'

/** Throws if `mostDeletes` of a run cannot be meant, or if none of its streams has a mirror. */
export function checkMostDeletes({ name, streams }: Pipeline, names: readonly string[], mostDeletes: unknown): void {
  if (mostDeletes === undefined) return
  const problem = mostDeletesProblem(mostDeletes)
  if (problem !== undefined) throw new UsageError(`mostDeletes ${problem}`)
  if (names.every((stream) => streams[stream]?.table.mirror === undefined))
    throw new UsageError(
      `${name}: mostDeletes is for streams whose table has mirror, and ${names.join(', ')} ` +
        `${names.length === 1 ? 'has' : 'have'} none`,
    )
}
