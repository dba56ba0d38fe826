// Does the text of a cursor grow with each change of a record? A title does not, and an ordered id or a number does.
import { compareCursors } from '../../value/cursor-order.ts'
import { cursorValue, type CursorValue } from './cursor-value.ts'

/** A ULID, and a UUID of version 7: both begin with a time, whatever the order of the list. */
const ORDERED_ID =
  /^(?:[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/i

/** One word with a digit, or a text that begins with a year. */
const COUNTS = /^(?=.*\d)\S+$|^\d{4}[-./]?\d{2}/

/** Watches the values of a cursor that are text. Such values count in silence: of one length, and in an order. */
export class TextCursor {
  readonly #location: string
  #length: number | undefined
  #last: string | undefined
  #order = 0

  constructor(location: string) {
    this.#location = location
  }

  /** Call it before records that do not follow those before, such as those of another page. */
  startPage(): void {
    this.#last = undefined
  }

  /** Returns the problem once a value shows that the text does not grow; undefined for each other value. */
  problemOf({ kind, raw }: CursorValue, record: unknown): string | undefined {
    if (kind !== 'text' || typeof raw !== 'string' || ORDERED_ID.test(raw)) return undefined
    const step = this.#last === undefined ? 0 : compareCursors(raw, this.#last)
    const isFit =
      COUNTS.test(raw) && (this.#length ??= raw.length) === raw.length && (step === 0 || step * this.#order >= 0)
    this.#last = raw
    this.#order ||= step
    return isFit ? undefined : textProblem(this.#location, raw, record)
  }
}

function textProblem(location: string, raw: string, record: unknown): string {
  const fields = changeFields(record)
  const meant =
    fields.length === 0
      ? 'No field of the record looks like the time of its last change'
      : `Did you mean ${fields.map((field) => `'${field}'`).join(' or ')}? It looks like the time of the last change`
  return (
    `${location}: the value is text that is no time and no number ('${shortened(raw)}'), so it is compared as text, ` +
    'by its characters. A record that changes later is read only if its text then is greater than all before. ' +
    `${meant}. If the text does grow with each change, say so: { grows: true }`
  )
}

const changeFields = (record: unknown): string[] =>
  typeof record === 'object' && record !== null
    ? Object.entries(record)
        .filter(([name, value]) => CHANGED.test(name) && isTime(value))
        .map(([name]) => name)
        .slice(0, 3)
    : []

/** `updatedAt`, `last_modified`, `SystemModstamp`, `mtime`; not `created_at`, which stays as it is. */
const CHANGED = /updat|modif|modst|chang|edited|revis|touch|^mtime$/i

/** An integer of ten digits or more counts seconds or milliseconds since 1970. */
function isTime(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 1e9
  return (typeof value === 'string' || value instanceof Date) && isInstant(value)
}

function isInstant(value: string | Date): boolean {
  try {
    return cursorValue(value)?.kind === 'instant'
  } catch {
    return false
  }
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
