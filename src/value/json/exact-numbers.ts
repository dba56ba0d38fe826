import { Decimal } from '../decimal.ts'

/** Makes `JSON.stringify` write a text as it is. TypeScript's library does not declare it yet. */
export const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** A replacer for `JSON.stringify` that writes a `bigint` and a `Decimal` as numbers, with every digit. */
export const writeExactNumbers = replace

function replace(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJSON(String(value))
  // `value` is the result of toJSON; the holder has the original.
  const original = (this as Readonly<Record<string, unknown>>)[name]
  return original instanceof Decimal ? rawJSON(original.text) : value
}
