import { inspect } from 'node:util'
import { Decimal } from '../decimal.ts'

// Node has it, the type library does not know it yet.
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/**
 * JSON for a column of type json, which keeps every digit, NUL and lone surrogate. What is no JSON at all is kept as
 * the text that Node would print.
 */
export function exactJson(value: unknown): string {
  try {
    return JSON.stringify(value, exactNumbers) ?? 'null'
  } catch {
    return JSON.stringify(inspect(value, { depth: 6 }))
  }
}

/**
 * JSON for a column of type jsonb, for what is shown to people: characters that PostgreSQL cannot hold are replaced.
 */
export function shownJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, one: unknown) =>
      typeof one === 'string' ? storableText(one) : typeof one === 'bigint' ? rawJSON(String(one)) : one,
    ) ?? 'null'
  )
}

/** Text for a column of type text. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

function exactNumbers(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJSON(String(value))
  const original = (this as Readonly<Record<string, unknown>>)[name]
  return original instanceof Decimal ? rawJSON(original.text) : value
}
