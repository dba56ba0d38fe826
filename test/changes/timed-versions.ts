// A history whose versions begin when the API says so: each version that was read and stored is there once, in its
// place, and ends where the next one begins or its record was deleted.
import { nameOf, type State } from './changing-api.ts'
import type { Expected, How } from './expected.ts'
import type { Scenario } from './scenario.ts'
import type { Stored, StoredRow } from './stored.ts'

/** Ends that are moments of loading: the API lives in an earlier year. */
const TESTED_SINCE = BigInt(Date.UTC(2025, 0, 1)) * 1_000n

interface Line {
  readonly versions: Map<bigint, State>
  readonly deletions: Set<bigint>
  /** The newest version when a deletion without a time was read. Only a newer one brings the record back. */
  endedAt: bigint | undefined
  /**
   * Something was committed after what is newer, such as a replayed reject. A deletion that came before the version
   * that it ends is forgotten (docs/HISTORY.md), so this version may also end later.
   */
  isLate: boolean
}

export class TimedVersions implements Expected {
  readonly #scenario: Scenario
  readonly #lines = new Map<number, Line>()

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  reject(): void {}

  apply(state: State, { isBeside }: How): void {
    const line = this.#lines.get(state.id) ?? newLine()
    this.#lines.set(state.id, line)
    const at = momentOf(state)
    if (state.isGone && this.#scenario.isBare) {
      line.endedAt = newestOf(line)
      return
    }
    if (line.versions.has(at) && !state.isGone) return
    const isSentAgain = state.isGone && line.deletions.has(at)
    const times = [...line.versions.keys(), ...line.deletions]
    line.isLate ||= isBeside
    if (!isSentAgain && times.some((time) => time > at || (time === at && !state.isGone))) line.isLate = true
    if (state.isGone) line.deletions.add(at)
    else line.versions.set(at, state)
    if (line.endedAt !== undefined && at > line.endedAt) line.endedAt = undefined
  }

  problem({ rows }: Stored): string | undefined {
    const stored = Map.groupBy(rows, ({ id }) => id)
    for (const [id, line] of this.#lines) {
      const wrong = versionsProblem(stored.get(id) ?? [], line)
      if (wrong !== undefined) return withLines(`the history of ${id}: ${wrong}`, line, stored.get(id))
      stored.delete(id)
    }
    return stored.size > 0 ? `nobody has stored the keys ${[...stored.keys()].join(', ')}` : undefined
  }

  problemAtRest(
    { rows, current }: Stored,
    records: readonly State[],
    past: ReadonlyMap<number, readonly State[]>,
  ): string | undefined {
    const alive = records.map(({ id, name }) => `${id} ${name}`).toSorted()
    const shown = current.map(({ id, name }) => `${id} ${name}`).toSorted()
    if (alive.join() !== shown.join()) return `the API has ${alive.join(', ')}, and the view ${shown.join(', ')}`
    // A list of events tells the whole past, so it is the history.
    if (this.#scenario.lists === 'states') return undefined
    const stored = Map.groupBy(rows, ({ id }) => id)
    for (const [id, states] of past) {
      const line = newLine()
      for (const state of states) {
        if (state.isGone) line.deletions.add(momentOf(state))
        else line.versions.set(momentOf(state), state)
      }
      const wrong = versionsProblem(stored.get(id) ?? [], line)
      if (wrong !== undefined) return withLines(`the whole history of ${id}: ${wrong}`, line, stored.get(id))
    }
    return undefined
  }
}

function versionsProblem(
  rows: readonly StoredRow[],
  { versions, deletions, endedAt, isLate }: Line,
): string | undefined {
  const begins = [...versions.keys()].toSorted(ascending)
  if (begins.join() !== rows.map(({ from }) => from).join()) return 'the versions are not those that were stored'
  for (const [index, { from, to, name }] of rows.entries()) {
    const next = begins[index + 1]
    if (name !== versions.get(from)?.name) return `the version of ${moment(from)} has ${name}`
    if (to !== undefined && to <= from) return `the version of ${moment(from)} ends before it begins`
    if (to === undefined ? next !== undefined : next !== undefined && to > next)
      return `the version of ${moment(from)} overlaps the next one`
    const isEnded = to !== undefined && to > TESTED_SINCE
    if (next === undefined && isEnded && (endedAt === from || (isLate && deletions.size === 0))) continue
    // At the very moment at which a version began, a deletion leaves it one microsecond.
    const ends = [...deletions].flatMap((at) => (at >= from ? [at === from ? at + 1n : at] : [])).toSorted(ascending)
    const inside = next === undefined ? ends : ends.filter((end) => end < next)
    const first = endedAt === from ? TESTED_SINCE : (inside[0] ?? next)
    const allowed = isLate ? [...inside, next] : [first]
    if (!allowed.includes(to))
      return `the version of ${moment(from)} ends ${moment(to)} and not ${allowed.map(moment).join(' or ')}`
  }
  return undefined
}

const newLine = (): Line => ({ versions: new Map(), deletions: new Set(), endedAt: undefined, isLate: false })

const newestOf = ({ versions }: Pick<Line, 'versions'>): bigint | undefined =>
  [...versions.keys()].toSorted(ascending).at(-1)

const momentOf = ({ at }: State): bigint => BigInt(Date.parse(at)) * 1_000n

const ascending = (a: bigint, b: bigint): number => Number(a - b)

function moment(at: bigint | undefined): string {
  if (at === undefined) return 'never'
  return `${new Date(Number(at / 1_000n)).toISOString().slice(8, 23)}${at % 1_000n === 0n ? '' : ' and 1 µs'}`
}

/** Returns a message with what was read and what is stored. */
function withLines(message: string, { versions, deletions, isLate }: Line, rows: readonly StoredRow[] = []): string {
  const read = [...versions.values()].map(nameOf).join(', ')
  return [
    message,
    `  read${isLate ? ', not in order' : ''}: ${read}; deleted ${[...deletions].map(moment).join(', ') || 'never'}`,
    ...rows.map(({ id, name, from, to }) => `  row: ${id} ${name} ${moment(from)} to ${moment(to)}`),
  ].join('\n')
}
