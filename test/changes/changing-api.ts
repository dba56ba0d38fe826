// An API whose records are created, changed, changed back, deleted and brought back, with a log of each state.
import type { Random } from '../moving/random.ts'
import type { Scenario } from './scenario.ts'

export interface Line {
  readonly line: number
  readonly sku: string
  readonly tags: readonly string[]
}

/** What a record became by one change. */
export interface State {
  readonly id: number
  /** The number of the change, of all records. */
  readonly revision: number
  /** When it changed. */
  readonly at: string
  readonly isGone: boolean
  readonly name: string
  readonly lines: readonly Line[]
}

/** A record as the API sends it. */
export interface Sent {
  readonly id: number
  readonly revision: number
  readonly at?: string
  readonly gone?: true
  readonly name?: string
  readonly lines?: readonly Line[]
}

/** Names that a broken stage rejects. */
export const isBad = ({ name = '' }: { readonly name?: string }): boolean => name.startsWith('bad')

const START = Date.UTC(2024, 0, 1)

/** Days of the whole time in which records change, at most. */
export const DAYS = 5

export interface Range {
  readonly since?: string | undefined
  readonly until?: string | undefined
}

export class ChangingApi {
  /** Each change, each request with its response, and what the runs have said. */
  readonly log: string[] = []
  isAtRest = false
  /** Changes that are left: a list must not grow faster than it is read. */
  changesLeft = 0
  /** All that each record has been, in order. */
  readonly past = new Map<number, State[]>()
  readonly #scenario: Scenario
  readonly #random: Random
  #clock = START
  #revision = 0

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario
    this.#random = random
    for (let left = scenario.records; left > 0; left--) this.#create()
  }

  /** Lets time pass, in which records change. */
  step(most = this.#scenario.unrest): void {
    if (this.isAtRest) return
    for (let left = this.#random.between(0, most); left > 0 && this.changesLeft > 0; left--, this.changesLeft--)
      this.#change()
  }

  /** The last state of each record that exists. */
  get records(): State[] {
    return this.#last().filter(({ isGone }) => !isGone)
  }

  /** Returns the next states of the list behind one of them. */
  page({ since, until }: Range, behind: State | undefined): State[] {
    const { lists, announces, page } = this.#scenario
    const [from, to] = [since === undefined ? -Infinity : Date.parse(since), until ? Date.parse(until) : Infinity]
    return (lists === 'events' ? [...this.past.values()].flat() : this.#last())
      .filter(({ isGone, at }) => (announces || !isGone) && Date.parse(at) >= from && Date.parse(at) < to)
      .filter((state) => behind === undefined || this.#order(state, behind) > 0)
      .toSorted((a, b) => this.#order(a, b))
      .slice(0, page)
  }

  /** Returns a state as the API sends it. */
  sent({ id, revision, at, isGone, name, lines }: State): Sent {
    const { timing, isBare, hasLists } = this.#scenario
    const time = timing !== 'none' && !(isGone && isBare) && { at }
    // A deletion that cannot be understood is one that a broken stage rejects.
    if (isGone) return { id, revision, ...time, gone: true, ...(name !== '' && { name }) }
    return { id, revision, ...time, name, ...(hasLists && { lines }) }
  }

  stateOf({ id, revision }: Sent): State {
    const found = this.past.get(id)?.find((state) => state.revision === revision)
    if (!found) throw new Error(`the API never had revision ${revision} of ${id}`)
    return found
  }

  /** By time where the list has a cursor, else by key. A record that changes keeps its place then. */
  #order(a: State, b: State): number {
    const { timing, lists } = this.#scenario
    const byTime = a.revision - b.revision
    if (timing === 'incremental') return byTime
    return a.id - b.id || (lists === 'events' ? byTime : 0)
  }

  #last(): State[] {
    return [...this.past.values()].flatMap((states) => states.at(-1) ?? [])
  }

  #change(): void {
    const all = this.#last()
    const what = this.#random.pick(['create', 'change', 'change', 'back', 'delete', 'delete', 'return'] as const)
    const one = this.#random.pick(all.filter(({ isGone }) => isGone === (what === 'return')))
    if (what === 'create' || !one) {
      this.#create()
      return
    }
    if (what === 'delete') {
      const name = this.#scenario.hasRejects && this.#random.chance(0.15) ? 'bad deletion' : ''
      this.#add({ id: one.id, isGone: true, name, lines: [] })
      return
    }
    const alive = (this.past.get(one.id) ?? []).filter(({ isGone }) => !isGone)
    const isAsBefore = what === 'back' || (what === 'return' && this.#random.chance(0.5))
    const before = isAsBefore ? this.#random.pick(alive) : undefined
    this.#add({ id: one.id, isGone: false, ...(before ? { name: before.name, lines: before.lines } : this.#content()) })
  }

  #create(): void {
    this.#add({ id: this.past.size + 1, isGone: false, ...this.#content() })
  }

  #content(): Pick<State, 'name' | 'lines'> {
    const name = this.#random.pick(['a', 'b', 'c', 'd'])
    const bad = this.#scenario.hasRejects && this.#random.chance(0.2)
    const tags = (): string[] => Array.from({ length: this.#random.between(0, 2) }, () => this.#random.pick(['x', 'y']))
    const lines = [1, 2, 3]
      .filter(() => this.#scenario.hasLists && this.#random.chance(0.5))
      .map((line) => ({ line, sku: this.#random.pick(['p', 'q']), tags: tags() }))
    return { name: bad ? `bad ${name}` : name, lines }
  }

  #add(change: Pick<State, 'id' | 'isGone' | 'name' | 'lines'>): void {
    const before = this.past.get(change.id)
    // Two changes never have one time, but for deletions that keep it.
    this.#clock += this.#random.between(1, 90) * 60_000
    const keepsTime = change.isGone && this.#scenario.keepsTime
    const at = (keepsTime && before?.at(-1)?.at) || new Date(this.#clock).toISOString()
    const state = { ...change, revision: ++this.#revision, at }
    if (before) before.push(state)
    else this.past.set(change.id, [state])
    this.log.push(`the API: ${nameOf(state)}`)
  }
}

/** A state for people, such as `3 b [1p(xy)] @01T02:30`. */
export function nameOf({ id, at, isGone, name, lines }: State): string {
  const list = lines.map(({ line, sku, tags }) => `${line}${sku}${tags.length > 0 ? `(${tags.join('')})` : ''}`)
  const what = `${isGone ? 'gone ' : ''}${name}`.trim()
  return `${id} ${what}${list.length > 0 ? ` [${list.join(' ')}]` : ''} @${at.slice(8, 16)}`
}
