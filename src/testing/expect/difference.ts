import { inspect } from 'node:util'
import { differingNames, membersOf, same } from './same.ts'

/** Differences that a message shows. */
const MAX_SHOWN = 10

/** How two values are compared. */
export type Same = (actual: unknown, expected: unknown) => boolean

/** Returns what two lists differ in, record by record; undefined if they are equal. */
export function differenceOf(
  actual: readonly unknown[],
  expected: readonly unknown[],
  { noun = 'row', isPart = false, equal = (a, b) => same(a, b, isPart) }: DifferenceOptions = {},
): string | undefined {
  const lines: string[] = []
  let [differing, missing, surplus] = [0, 0, 0]
  for (const [one, other] of pairs(actual, expected, equal)) {
    if (one && other && equal(one.value, other.value)) continue
    if (one && other) {
      differing += 1
      lines.push(`  ${noun} ${one.index + 1}`, ...membersThatDiffer(one.value, other.value, isPart, equal))
    } else if (one) {
      surplus += 1
      lines.push(`  ${noun} ${one.index + 1} was not expected: ${shown(one.value)}`)
    } else if (other) {
      missing += 1
      lines.push(`  ${noun} ${other.index + 1} of those expected is missing: ${shown(other.value)}`)
    }
  }
  if (lines.length === 0) return undefined
  const counts = [
    differing > 0 ? `${differing} ${differing === 1 ? 'differs' : 'differ'}` : '',
    missing > 0 ? `${missing} ${missing === 1 ? 'is' : 'are'} missing` : '',
    surplus > 0 ? `${surplus} ${surplus === 1 ? 'was' : 'were'} not expected` : '',
  ].filter((text) => text !== '')
  const cut = lines.length > MAX_SHOWN * 3 ? [...lines.slice(0, MAX_SHOWN * 3), '  …'] : lines
  return [`of ${actual.length} ${noun}${actual.length === 1 ? '' : 's'}, ${counts.join(', ')}`, ...cut].join('\n')
}

export interface DifferenceOptions {
  /** What a record is called. @default 'row' */
  readonly noun?: string
  /** Expected records have only some of the members. @default false */
  readonly isPart?: boolean
  /** @default by all members */
  readonly equal?: Same
}

interface Numbered {
  readonly index: number
  readonly value: unknown
}

/**
 * Pairs the records of two lists: equal ones where they stand in the same order, and what lies between them one by one.
 * A record too many does not make all others differ.
 */
function* pairs(
  actual: readonly unknown[],
  expected: readonly unknown[],
  equal: Same,
): Generator<readonly [Numbered | undefined, Numbered | undefined]> {
  let [i, j] = [0, 0]
  while (i < actual.length || j < expected.length) {
    const [nextI, nextJ] = nextEqual(actual, expected, i, j, equal)
    while (i < nextI || j < nextJ) {
      yield [
        i < nextI ? { index: i, value: actual[i] } : undefined,
        j < nextJ ? { index: j, value: expected[j] } : undefined,
      ]
      i = Math.min(i + 1, nextI)
      j = Math.min(j + 1, nextJ)
    }
    if (i < actual.length && j < expected.length) {
      yield [
        { index: i, value: actual[i] },
        { index: j, value: expected[j] },
      ]
      i += 1
      j += 1
    }
  }
}

/** Records that are looked at for the next equal pair. */
const MAX_AHEAD = 50

/** Returns the nearest places at which both lists are equal again, or their ends. */
function nextEqual(
  actual: readonly unknown[],
  expected: readonly unknown[],
  i: number,
  j: number,
  equal: Same,
): [number, number] {
  for (let ahead = 0; ahead <= MAX_AHEAD; ahead += 1) {
    for (let a = 0; a <= ahead; a += 1) {
      const [one, other] = [i + a, j + ahead - a]
      if (one < actual.length && other < expected.length && equal(actual[one], expected[other])) return [one, other]
    }
  }
  return [actual.length, expected.length]
}

function membersThatDiffer(actual: unknown, expected: unknown, isPart: boolean, equal: Same): string[] {
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null)
    return [`    expected ${shown(expected)}, read ${shown(actual)}`]
  const [left, right] = [membersOf(actual), membersOf(expected)]
  return differingNames(actual, expected, isPart)
    .filter((name) => !equal(left[name], right[name]))
    .map((name) => `    ${name}: expected ${shown(right[name])}, read ${shown(left[name])}`)
}

/** Returns a value as a message shows it, on one line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  return inspect(value, { depth: 4, breakLength: Infinity, maxArrayLength: 20, maxStringLength: 200 })
}
