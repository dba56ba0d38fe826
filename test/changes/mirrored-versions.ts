// A history that is also a mirror: each version that was stored is there, versions of one key do not overlap, and what
// a complete reading does not bring has ended. When it ended, only the readings know.
import { nameOf, type State } from './changing-api.ts'
import type { Expected, How } from './expected.ts'
import type { Scenario } from './scenario.ts'
import type { Stored, StoredRow } from './stored.ts'

export class MirroredVersions implements Expected {
  readonly #isTimed: boolean
  /** The states of each key that were stored, in the order of the commits. */
  readonly #stored = new Map<number, State[]>()

  constructor({ timing }: Pick<Scenario, 'timing'>) {
    this.#isTimed = timing !== 'none'
  }

  reject(): void {}

  apply(state: State, { isReplay }: How): void {
    const before = this.#stored.get(state.id) ?? []
    // Without a version a replay keeps what is stored.
    const isKept = isReplay && !this.#isTimed && before.length > 0
    if (!state.isGone && !isKept) this.#stored.set(state.id, [...before, state])
  }

  problem({ rows }: Stored): string | undefined {
    const found = Map.groupBy(rows, ({ id }) => id)
    for (const id of new Set([...found.keys(), ...this.#stored.keys()])) {
      const [own, states] = [found.get(id) ?? [], this.#stored.get(id) ?? []]
      const wrong = overlap(own) ?? this.#mixture(own, states)
      if (wrong !== undefined)
        return (
          `the history of ${id}: ${wrong}; read ${states.map(nameOf).join(', ')}; ` +
          `rows ${own.map(shown).join(', ')}`
        )
    }
    return undefined
  }

  /** Each row is a state that was stored, and each state that was stored is a row. */
  #mixture(rows: readonly StoredRow[], states: readonly State[]): string | undefined {
    const isOf = (row: StoredRow, { name, at }: State): boolean =>
      row.name === name && (!this.#isTimed || row.at === Date.parse(at))
    const stray = rows.find((row) => !states.some((state) => isOf(row, state)))
    if (stray) return `${shown(stray)} is no state that was stored`
    const lost = states.find((state) => !rows.some((row) => isOf(row, state)))
    return lost && `${nameOf(lost)} was stored, and has no row`
  }

  problemAtRest({ current }: Stored, records: readonly State[]): string | undefined {
    const alive = records.map(({ id, name }) => `${id} ${name}`).toSorted()
    const listed = current.map(({ id, name }) => `${id} ${name}`).toSorted()
    return alive.join() === listed.join()
      ? undefined
      : `the API has ${alive.join(', ')}, and the view ${listed.join(', ')}`
  }
}

function overlap(rows: readonly StoredRow[]): string | undefined {
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1]
    if (row.to !== undefined && row.to <= row.from) return `${shown(row)} ends before it begins`
    if (next && (row.to === undefined || row.to > next.from)) return `${shown(row)} overlaps the next one`
  }
  return undefined
}

const shown = ({ name, from, to }: StoredRow): string => `${name} ${moment(from)}..${moment(to)}`

const moment = (at: bigint | undefined): string =>
  at === undefined ? '' : new Date(Number(at / 1_000n)).toISOString().slice(2, 23)
