import { writeExactNumbers } from './exact-numbers.ts'
import { keptAsJson } from './kept-as-json.ts'
import { parseLenientJson } from './lenient-json.ts'
import { parseJson } from './parse-json.ts'
import { checkJson } from './strict-json.ts'

/** The only member of a stored record whose text is no JSON. It holds that text. */
const RAW = 'not JSON'
const rawTexts = new WeakMap<object, string>()

/**
 * Keeps the text of a record whose values JSON cannot hold, such as NaN: `exactJson` writes this text, and
 * `parseStoredJson` reads the same values from it.
 */
export function keepRawText(record: object, text: string): void {
  // A copy: a part of a text would keep the whole body in memory.
  rawTexts.set(record, JSON.parse(JSON.stringify(text)) as string)
}

/**
 * Writes a value for a column of type json, which keeps every digit, NUL characters and halves of surrogate pairs. A
 * part that JSON cannot hold (a function, a Map, NaN, a cycle) is written as text or as a list; the rest stays. A
 * record with a raw text is written as `{"not JSON":"…"}`, also in a list.
 */
export function exactJson(value: unknown): string {
  const written = Array.isArray(value) ? value.map(withRawText) : withRawText(value)
  try {
    checkJson(written)
    return JSON.stringify(written, writeExactNumbers) ?? 'null'
  } catch {
    return JSON.stringify(keptAsJson(written), writeExactNumbers) ?? 'null'
  }
}

/** Parses what `exactJson` wrote. */
export function parseStoredJson(json: string): unknown {
  const value = parseJson(json)
  return Array.isArray(value) ? value.map(withoutRawText) : withoutRawText(value)
}

/** Writes a value for a column of type jsonb that people read: characters that PostgreSQL cannot hold are replaced. */
export function displayJson(value: unknown): string {
  const text = JSON.stringify(value, writeExactNumbers) ?? 'null'
  // `JSON.stringify` escapes these characters, in names of members too. It escapes no valid surrogate pair.
  return text.includes('\\u') ? text.replaceAll(/\\(?:u[\da-f]{4}|.)/g, displayedEscape) : text
}

const displayedEscape = (escape: string): string =>
  escape === '\\u0000' || escape.startsWith('\\ud') ? '\ufffd' : escape

function withRawText(value: unknown): unknown {
  const text = typeof value === 'object' && value !== null ? rawTexts.get(value) : undefined
  return text === undefined ? value : { [RAW]: text }
}

function withoutRawText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return value
  const text = (value as Readonly<Record<string, unknown>>)[RAW]
  if (typeof text !== 'string') return value
  try {
    const { value: record, faults } = parseLenientJson(text)
    if (typeof record !== 'object' || record === null) return value
    // A part of it is left out.
    if (faults.some(({ kind }) => kind === 'depth')) return value
    keepRawText(record, text)
    return record
  } catch {
    return value // An API may have a member of this name too.
  }
}
