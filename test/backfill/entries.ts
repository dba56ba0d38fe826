/** The first moment of all entries, and of the backfill. */
export const START = Date.UTC(2023, 0, 1)
const DAY = 86_400_000

export interface Entry {
  readonly id: number
  readonly name: string
  readonly revision: number
  readonly updated_at: string
}

/** Entries spread evenly over some days. One that changes leaves its place in time: it is as new as its change. */
export class Entries {
  readonly #count: number
  readonly #step: number
  /** By the time of their change. */
  #changed: { readonly at: number; readonly id: number; readonly revision: number }[] = []
  readonly #revisions = new Map<number, number>()

  constructor({ records, days }: { readonly records: number; readonly days: number }) {
    this.#count = records
    this.#step = (days * DAY) / records
  }

  change(id: number): void {
    const revision = (this.#revisions.get(id) ?? 0) + 1
    this.#revisions.set(id, revision)
    this.#changed = this.#changed.filter((one) => one.id !== id)
    this.#changed.push({ at: Math.max(Date.now(), this.#changed.at(-1)?.at ?? 0), id, revision })
  }

  changed(): Entry[] {
    return this.#changed.map(({ at, id, revision }) => entry(id, at, revision))
  }

  /** Returns the entries that were updated in a range after the entry `after`, oldest first. */
  page({
    since,
    until,
    after,
    size,
  }: {
    readonly since: string | null
    readonly until: string | null
    readonly after: string | null
    readonly size: number
  }): { entries: Entry[]; next: string | null } {
    const [atText, idText] = after?.split('_') ?? []
    const from = Math.max(since === null ? START : Date.parse(since), atText === undefined ? 0 : Number(atText))
    const to = until === null ? Infinity : Date.parse(until)
    const isBehind = (at: number, id: number): boolean =>
      atText === undefined || at > Number(atText) || (at === Number(atText) && id > Number(idText))
    const found: { readonly at: number; readonly id: number; readonly revision: number }[] = []
    for (
      let id = Math.max(0, Math.floor((from - START) / this.#step) - 1);
      id < this.#count && found.length <= size;
      id += 1
    ) {
      const at = timeOf(id, this.#step)
      if (at >= to) break
      if (at >= from && isBehind(at, id) && !this.#revisions.has(id)) found.push({ at, id, revision: 0 })
    }
    if (found.length <= size) {
      for (const one of this.#changed) {
        if (found.length > size) break
        if (one.at >= from && one.at < to && isBehind(one.at, one.id)) found.push(one)
      }
    }
    const page = found.slice(0, size)
    const last = page.at(-1)
    return {
      entries: page.map(({ id, at, revision }) => entry(id, at, revision)),
      next: found.length > size && last ? `${last.at}_${last.id}` : null,
    }
  }
}

/** Returns an entry as it was before its first change. */
export const original = (id: number, { records, days }: { readonly records: number; readonly days: number }): Entry =>
  entry(id, timeOf(id, (days * DAY) / records), 0)

const timeOf = (id: number, step: number): number => START + Math.floor(id * step)
const entry = (id: number, at: number, revision: number): Entry => ({
  id,
  name: `entry ${id}.${revision}`,
  revision,
  updated_at: new Date(at).toISOString(),
})
