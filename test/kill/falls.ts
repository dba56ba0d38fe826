import { PLACES, type Place } from './place.ts'
import { WRITES, type Write } from './rig.ts'

/** Places that do not occur: only a merge or a history has a statement after its COPY, and only a replace swaps. */
const IMPOSSIBLE: Readonly<Record<Write, readonly Place[]>> = {
  append: ['merge', 'swap'],
  merge: ['swap'],
  mirror: ['swap'],
  history: ['swap'],
  replace: ['merge'],
}
/** Places that may stay empty: a kill there proves nothing that another place does not. */
const OPTIONAL: readonly Place[] = ['keeper', 'after the end']

/** Counts where the kills fell. */
export class Falls {
  readonly #counts = new Map<string, number>()

  add(place: Place, write: Write): void {
    const key = `${write} ${place}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  count(place: Place, write: Write): number {
    return this.#counts.get(`${write} ${place}`) ?? 0
  }

  /** Places that must not be empty, and are. */
  empty(writes: readonly Write[] = WRITES): string[] {
    return writes.flatMap((write) =>
      PLACES.filter(
        (place) => !OPTIONAL.includes(place) && !IMPOSSIBLE[write].includes(place) && this.count(place, write) === 0,
      ).map((place) => `no kill of ${write} fell into '${place}'`),
    )
  }

  table(writes: readonly Write[] = WRITES): string {
    const rows = PLACES.map((place) =>
      line(
        place,
        writes.map((write) => (IMPOSSIBLE[write].includes(place) ? '–' : this.count(place, write))),
      ),
    )
    const sums = writes.map((write) => PLACES.reduce((sum, place) => sum + this.count(place, write), 0))
    return [line('where the kills fell', writes), ...rows, line('all', sums)].join('\n')
  }
}

const line = (name: string, cells: readonly (string | number)[]): string =>
  `  ${name.padEnd(28)}${cells.map((cell) => String(cell).padStart(9)).join('')}`
