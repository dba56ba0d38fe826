// What a table that is merged must hold after each run, from what the runs have committed.
import { nameOf, type State } from './changing-api.ts'
import type { Expected, How } from './expected.ts'
import type { Scenario } from './scenario.ts'
import type { Stored, StoredRow } from './stored.ts'

/** The last word about a key. */
interface Verdict {
  readonly at: number
  readonly state: State
  readonly isGone: boolean
}

export class MergedRows implements Expected {
  readonly #scenario: Scenario
  readonly #verdicts = new Map<number, Verdict>()
  /** All states of a key that were read, rejected ones too. */
  readonly #read = new Map<number, State[]>()
  /** Keys that were deleted before there was a table: nothing remembers these deletions. */
  readonly #unsure = new Set<number>()

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  reject(state: State): void {
    this.#note(state)
  }

  apply(state: State, how: How): void {
    this.#note(state)
    if (this.#scenario.timing === 'none') this.#applyLater(state, how)
    else this.#applyNewer(state, how)
  }

  /** Without a version, what is committed later counts, and a replay keeps what is stored. */
  #applyLater(state: State, { isReplay }: How): void {
    const { id, isGone } = state
    const before = this.#verdicts.get(id)
    const isStored = before !== undefined && (!before.isGone || this.#scenario.marks)
    if (isReplay && !isGone && isStored) return
    if (isGone && !before) return
    this.#verdicts.set(id, { at: 0, state, isGone })
  }

  #applyNewer(state: State, { hasTable }: How): void {
    const { id, isGone } = state
    const before = this.#verdicts.get(id)
    // A deletion without a time is later than all that was read before it.
    const times = this.#read.get(id)?.map(({ at }) => Date.parse(at)) ?? []
    const at = isGone && this.#scenario.isBare ? Math.max(...times) : Date.parse(state.at)
    if (before && (at < before.at || (at === before.at && before.isGone))) return
    this.#verdicts.set(id, { at, state, isGone })
    if (isGone && !hasTable) this.#unsure.add(id)
    else this.#unsure.delete(id)
  }

  problem({ rows, orphans }: Stored): string | undefined {
    if (orphans.length > 0) return `lists have no row: ${orphans.join(', ')}`
    for (const row of rows) {
      const mixture = this.#mixture(row)
      if (mixture !== undefined) return mixture
    }
    // What a mirror deletes, its readings decide.
    return this.#scenario.write === 'mirror' ? this.#mirrored(rows) : this.#merged(rows)
  }

  /** A row, with its lists, is one state of its record. */
  #mixture(row: StoredRow): string | undefined {
    const states = this.#read.get(row.id) ?? []
    return states.some((state) => isSame(state, row))
      ? undefined
      : `the row ${shown(row)} is no state that was read: ${states.map(nameOf).join(', ')}`
  }

  #merged(rows: readonly StoredRow[]): string | undefined {
    const stored = new Map(rows.flatMap((row) => (row.isMarked ? [] : [[row.id, row] as const])))
    for (const [id, { state, isGone }] of this.#verdicts) {
      const row = stored.get(id)
      stored.delete(id)
      if (this.#unsure.has(id)) continue
      if (isGone && row) return `${id} was deleted (${nameOf(state)}), and its row is there: ${shown(row)}`
      if (!isGone && !row) return `${nameOf(state)} was stored, and its row is missing`
      if (!isGone && row && !isSame(state, row)) return `${shown(row)} is not the last state: ${nameOf(state)}`
    }
    return stored.size > 0 ? `nobody has stored ${[...stored.values()].map(shown).join(', ')}` : undefined
  }

  #mirrored(rows: readonly StoredRow[]): string | undefined {
    // Without a version a replay brings back what a reading has deleted.
    if (this.#scenario.timing === 'none') return undefined
    for (const row of rows) {
      const verdict = this.#verdicts.get(row.id)
      if (row.isMarked || !verdict || this.#unsure.has(row.id)) continue
      if (verdict.isGone) return `${row.id} was deleted (${nameOf(verdict.state)}), and its row is there: ${shown(row)}`
      if (!isSame(verdict.state, row)) return `${shown(row)} is not the last state: ${nameOf(verdict.state)}`
    }
    return undefined
  }

  /** After a complete reading at rest, the table equals the API. */
  problemAtRest({ rows }: Stored, records: readonly State[]): string | undefined {
    const stored = new Map(rows.flatMap((row) => (row.isMarked ? [] : [[row.id, row] as const])))
    for (const state of records) {
      const row = stored.get(state.id)
      stored.delete(state.id)
      if (!row) return `the API has ${nameOf(state)}, and its row is missing`
      if (!isSame(state, row)) return `the API has ${nameOf(state)}, and the row is ${shown(row)}`
    }
    return stored.size > 0 ? `the API does not have ${[...stored.values()].map(shown).join(', ')}` : undefined
  }

  #note(state: State): void {
    this.#read.set(state.id, [...(this.#read.get(state.id) ?? []), state])
  }
}

const listText = (lines: State['lines']): string =>
  JSON.stringify(lines.map(({ line, sku, tags }) => [line, sku, tags]))

const isSame = (state: State, row: StoredRow): boolean =>
  !state.isGone &&
  state.name === row.name &&
  (row.at === undefined || row.at === Date.parse(state.at)) &&
  listText(state.lines) === listText(row.lines)

const shown = ({ id, name, at, lines, isMarked }: StoredRow): string =>
  `${id} ${name} ${listText(lines)}${at === undefined ? '' : ` @${new Date(at).toISOString().slice(8, 16)}`}` +
  (isMarked ? ' (marked)' : '')
