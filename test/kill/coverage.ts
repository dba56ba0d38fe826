import type { JsonValue } from '../../src/model/json.ts'
import type { Api, Served } from './api.ts'

/** The records and parents of the responses that a committed position covers, by the log of the API. */
export interface Covered {
  readonly fetched: number
  readonly parents: number
  /** Requests that the position covers, although the API never served them. */
  readonly missing: readonly string[]
}

/**
 * Returns the records that a position covers: those of all responses before it in its list. Each response must be in
 * the log of the API. It is counted once, however often it was served, because only one of them can be committed.
 */
export function covered(stream: 'items' | 'notes', position: JsonValue, api: Api): Covered {
  return stream === 'items' ? coveredItems(position, api) : coveredNotes(position, api)
}

const cursorOrStart = (position: JsonValue): number => (position === null ? 0 : cursorOf(position))

function coveredItems(position: JsonValue, api: Api): Covered {
  const before = isEnd(position) ? api.data.items.length + 1 : cursorOrStart(position)
  const wanted = offsets(before, api.data.items.length, api.data.pages.items, true)
  return {
    ...sum(
      wanted.map((offset) => ({ stream: 'items', folder: undefined, offset })),
      api,
    ),
    parents: 0,
  }
}

function coveredNotes(position: JsonValue, api: Api): Covered {
  const { folders, notes, pages } = api.data
  const path =
    position === null || isEnd(position) ? undefined : (position as { at: JsonValue; done: number; child: JsonValue })
  const end = position === null ? 0 : folders.length
  const whole = path ? cursorOrStart(path.at) : end
  const finished = path ? whole + path.done : whole
  const wanted: Wanted[] = []
  for (const { id } of folders.slice(0, finished)) {
    for (const offset of offsets(Infinity, notes.get(id)!.length, pages.notes, false))
      wanted.push({ stream: 'notes', folder: id, offset })
  }
  const next = folders[finished]
  if (path?.child != null && next) {
    const before = isEnd(path.child) ? Infinity : cursorOf(path.child)
    for (const offset of offsets(before, notes.get(next.id)!.length, pages.notes, false))
      wanted.push({ stream: 'notes', folder: next.id, offset })
  }
  return { ...sum(wanted, api), parents: whole }
}

type Wanted = Pick<Served, 'stream' | 'folder' | 'offset'>

function sum(wanted: readonly Wanted[], api: Api): { fetched: number; missing: string[] } {
  const served = new Map(
    api.log
      .filter(({ complete, since }) => complete && since === undefined)
      .map((answer) => [name(answer), answer.records]),
  )
  const missing = wanted.map(name).filter((answer) => !served.has(answer))
  return { fetched: wanted.reduce((all, answer) => all + (served.get(name(answer)) ?? 0), 0), missing }
}

const name = ({ stream, folder, offset }: Wanted): string =>
  `${stream}${folder === undefined ? '' : ` of ${folder}`} from ${offset}`

/**
 * The offsets of the pages of a list that come before one; a list that goes on until a page is empty has one page more.
 */
function offsets(before: number, length: number, size: number, untilEmpty: boolean): number[] {
  const count = untilEmpty ? Math.floor(length / size) + 1 : Math.max(1, Math.ceil(length / size))
  return Array.from({ length: count }, (_, at) => at * size).filter((offset) => offset < before)
}

const isEnd = (position: JsonValue): boolean => typeof position === 'object' && position !== null && 'end' in position

/** The number in the API's cursor, wherever the position keeps it. */
function cursorOf(position: JsonValue): number {
  const found = /"c(\d+)"/.exec(JSON.stringify(position))
  if (!found) throw new Error(`No cursor in the position ${JSON.stringify(position)}`)
  return Number(found[1])
}
