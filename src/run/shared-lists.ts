import type { Flows } from '../define/pipeline.ts'
import type { SpareMemory } from '../flow/memory-account.ts'
import type { JoinedList } from '../model/scope.ts'
import { SharedList } from '../source/shared-list.ts'

/**
 * Returns the lists that several of these streams read, by their source: one definition, not two that are equal.
 * `memory` is for the responses that are kept for the slower ones.
 */
export function sharedLists(
  flows: Flows,
  streams: readonly string[],
  memory: SpareMemory,
): ReadonlyMap<object, JoinedList> {
  const readers = Map.groupBy(streams, (stream) => flows[stream]?.recipe.source)
  const lists = new Map<object, JoinedList>()
  for (const [source, names] of readers)
    if (source && 'api' in source && !source.job && names.length > 1) lists.set(source, new SharedList(names, memory))
  return lists
}
