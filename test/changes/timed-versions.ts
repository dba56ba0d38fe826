// A history whose versions begin when the API says so: each version that was read and stored is there once, in its
// place, and ends where the next one begins or its record was deleted.
import { nameOf, type State } from './changing-api.ts'
import type { Expected, How } from './expected.ts'
import type { Scenario } from './scenario.ts'
import type { Stored, StoredRow } from './stored.ts'

interface Line {
  readonly versions: Map<bigint, State>
  readonly deletions: Set<bigint>
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
    if (line.versions.has(at) && !state.isGone) return
    const isSentAgain = state.isGone && line.deletions.has(at)
    const times = [...line.versions.keys(), ...line.deletions]
    line.isLate ||= isBeside
    if (!isSentAgain && times.some((time) => time > at || (time === at && !state.isGone))) line.isLate = true
    if (state.isGone) line.deletions.add(at)
    else line.versions.set(at, state)
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

function versionsProblem(rows: readonly StoredRow[], { versions, deletions, isLate }: Line): string | undefined {
  const begins = [...versions.keys()].toSorted(ascending)
  if (begins.join() !== rows.map(({ from }) => from).join()) return 'the versions are not those that were stored'
  for (const [index, { from, to, name }] of rows.entries()) {
    const next = begins[index + 1]
    if (name !== versions.get(from)?.name) return `the version of ${moment(from)} has ${name}`
    if (to !== undefined && to <= from) return `the version of ${moment(from)} ends before it begins`
    if (to === undefined ? next !== undefined : next !== undefined && to > next)
      return `the version of ${moment(from)} overlaps the next one`
    // At the very moment at which a version began, a deletion leaves it one microsecond.
    const ends = [...deletions].flatMap((at) => (at >= from ? [at === from ? at + 1n : at] : [])).toSorted(ascending)
    const inside = next === undefined ? ends : ends.filter((end) => end < next)
    const allowed = isLate ? [...inside, next] : [inside[0] ?? next]
    if (!allowed.includes(to))
      return `the version of ${moment(from)} ends ${moment(to)} and not ${allowed.map(moment).join(' or ')}`
  }
  return undefined
}

const newLine = (): Line => ({ versions: new Map(), deletions: new Set(), isLate: false })

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
