// A source whose records are deleted, inserted, changed and brought back while it is read, page by page.
import type { Random } from '../moving/random.ts'

export interface Item {
  /** A number, or a text: then the key's column changes its type while it is read. */
  readonly id: number | string
  readonly at: string
  /** A text makes the record one that cannot be stored. */
  readonly n: number | string
  readonly lines: readonly { readonly line: number }[]
}

/** When a record existed: from the first tick on, before the second one. */
interface Life {
  readonly from: number
  to: number
}

export interface WorldRecord {
  item: Item
  readonly lives: Life[]
}

export interface WorldOptions {
  readonly records: number
  /** Changes before each page. */
  readonly unrest: number
  readonly hasRejects: boolean
  readonly hasLists: boolean
  readonly hasTexts: boolean
}

const START = Date.UTC(2024, 0, 1)

export class World {
  /** By their place in the list, which never changes. */
  readonly records: WorldRecord[] = []
  tick = 0
  isAtRest = false
  readonly #random: Random
  readonly #options: WorldOptions

  constructor(random: Random, options: WorldOptions) {
    this.#random = random
    this.#options = options
    for (let count = 0; count < options.records; count++) this.#insert()
  }

  /** Lets time pass, in which records change. */
  step(most = this.#options.unrest): void {
    this.tick++
    if (this.isAtRest) return
    for (let changes = this.#random.between(0, most); changes > 0; changes--) this.#change()
  }

  /** Records that exist now, behind a place. */
  after(place: number): { readonly place: number; readonly item: Item }[] {
    return this.records.flatMap((record, index) =>
      index > place && isAlive(record) ? [{ place: index, item: record.item }] : [],
    )
  }

  #change(): void {
    const alive = this.records.filter(isAlive)
    const gone = this.records.filter((record) => !isAlive(record))
    const what = this.#random.pick(['delete', 'delete', 'insert', 'touch', 'return'] as const)
    const one = this.#random.pick(what === 'return' ? gone : alive)
    if (what === 'insert' || !one) return this.#insert()
    if (what === 'delete') one.lives.at(-1)!.to = this.tick
    if (what === 'return') one.lives.push({ from: this.tick, to: Infinity })
    // A record may come back exactly as it was: its row is then unchanged.
    if (what === 'touch' || (what === 'return' && this.#random.chance(0.5))) one.item = this.#version(one.item.id)
  }

  #insert(): void {
    const number = this.records.length + 1
    const id = this.#options.hasTexts && this.#random.chance(0.05) ? `x${number}` : number
    this.records.push({ item: this.#version(id), lives: [{ from: this.tick, to: Infinity }] })
  }

  #version(id: Item['id']): Item {
    const { hasRejects, hasLists } = this.#options
    const lines = hasLists ? Array.from({ length: this.#random.between(0, 2) }, (_, line) => ({ line })) : []
    const n = hasRejects && this.#random.chance(0.1) ? 'bad' : this.#random.between(1, 1_000)
    return { id, at: new Date(START + this.tick * 1_000).toISOString(), n, lines }
  }
}

const isAlive = ({ lives }: WorldRecord): boolean => lives.at(-1)?.to === Infinity

/** True if a record existed at each tick of a time. */
export const existedThroughout = ({ lives }: WorldRecord, from: number, to: number): boolean =>
  lives.some((life) => life.from <= from && life.to > to)

/** True if a record did not exist at any tick of a time. */
export const wasGoneThroughout = ({ lives }: WorldRecord, from: number, to: number): boolean =>
  lives.every((life) => life.from > to || life.to <= from)
