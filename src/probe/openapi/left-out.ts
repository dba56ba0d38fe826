// Says which operations became no stream, and why.
import { formatCount } from '../../value/format.ts'
import type { LeftOut } from './lists.ts'

/** Returns a line for each reason, with all of its operations or the first ones, below a line that introduces them. */
export function leftOutLines(leftOut: readonly LeftOut[], most: number): string[] {
  if (leftOut.length === 0) return []
  const lines = [...Map.groupBy(leftOut, ({ reason }) => reason)]
    .toSorted(([, one], [, other]) => one.length - other.length)
    .map(([reason, all]) => {
      const named = all.slice(0, most).map(({ operation }) => operation)
      const more = all.length - named.length
      return `- ${reason}: ${named.join(', ')}${more > 0 ? ` and ${formatCount(more, 'other')}` : ''}`
    })
  return ['Left out:', ...lines]
}

/**
 * Returns a line for each reason: how many operations it has, and the first ones. With `all`, each operation has a line
 * of its own.
 */
export function leftOutCounts(
  leftOut: readonly LeftOut[],
  { most, all }: { readonly most: number; readonly all: boolean },
): string[] {
  return [...Map.groupBy(leftOut, ({ reason }) => reason)]
    .toSorted(([, one], [, other]) => one.length - other.length)
    .flatMap(([reason, operations]) => {
      const names = operations.map(({ operation }) => operation)
      const line = `- ${formatCount(names.length, 'operation')}: ${reason}`
      if (all) return [line, ...names.map((name) => `    ${name}`)]
      return [`${line} (${names.slice(0, most).join(', ')}${names.length > most ? ', …' : ''})`]
    })
}
