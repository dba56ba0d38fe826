/**
 * Returns the known name that a misspelled one probably means, or undefined if none is near. Case, `_` and `-` do not
 * count.
 *
 * @example
 * nearest('page_szie', ['pageSize', 'timeout']) // 'pageSize'
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const given = plain(name)
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const other of known) {
    const distance = other === name ? Infinity : distanceOf(given, plain(other))
    if (distance < (best?.distance ?? Infinity)) best = { name: other, distance }
  }
  return best?.name
}

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Returns the number of edits; infinite if there are so many that the names have nothing to do with each other. */
function distanceOf(one: string, other: string): number {
  const [short, long] = one.length < other.length ? [one, other] : [other, one]
  if (short === '') return Infinity
  const most = Math.max(1, Math.floor(long.length / 3))
  const edits = editsBetween(one, other)
  // Names of one letter have nothing in common.
  if (edits <= most && edits < long.length) return edits
  // `first` for `firstPage`, `cursor` for `next_cursor`.
  return short.length >= 4 && (long.startsWith(short) || long.endsWith(short)) ? edits + 0.5 : Infinity
}

/** Counts characters that were inserted, removed or changed, and neighbours that were swapped. */
function editsBetween(one: string, other: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const isEqual = one[row - 1] === other[column - 1]
      const isSwapped = row > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isEqual ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    beforeLast = last
    last = current
  }
  return last[other.length] ?? 0
}
