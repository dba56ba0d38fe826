// What each reading was given, page by page, and which of these pages it has committed: the ledger's positions say so.
import type { Database } from '../../src/database/database.ts'
import type { State } from './changing-api.ts'

/** The position behind a page. */
export interface PlaceOf {
  /** The number of the page, of all pages of a seed. */
  readonly serial: number
  readonly id: number
  readonly revision: number
}

interface GivenPage {
  readonly serial: number
  readonly states: readonly State[]
}

/** One call of the source. */
interface Call {
  readonly slice: string
  /** The number of the page that it goes on behind; 0 at the start. */
  readonly behind: number
  readonly pages: GivenPage[]
}

/** The calls of one run. */
export class SourceLog {
  /** The slice that is being read: windows are read one after the other. */
  slice = ''
  readonly #calls: Call[] = []

  /** Begins a call, and returns the function that notes its pages. */
  begin(position: PlaceOf | undefined): (serial: number, states: readonly State[]) => void {
    const call: Call = { slice: this.slice, behind: position?.serial ?? 0, pages: [] }
    this.#calls.push(call)
    return (serial, states) => call.pages.push({ serial, states })
  }

  /** Returns the states of all pages that were committed, in the order in which they were given. */
  async committed(database: Database): Promise<State[]> {
    const slices = await database.query<{ id: string; status: string; serial: number | null }>(
      `select id::text, status, (position ->> 'serial')::int as serial from sluice.slices
        where id = any ($1::bigint[])`,
      [[...new Set(this.#calls.map(({ slice }) => slice))]],
    )
    const bySlice = new Map(slices.map((slice) => [slice.id, slice]))
    return this.#calls.flatMap(({ slice, pages }, index) => {
      const { status, serial } = bySlice.get(slice) ?? {}
      // A call that follows goes on behind what was committed.
      const next = this.#calls.slice(index + 1).find((call) => call.slice === slice)
      const end = status === 'done' ? Infinity : (serial ?? 0)
      const last = next ? next.behind : end
      return pages.flatMap((page) => (page.serial <= last ? page.states : []))
    })
  }
}
