// Sluice promises that no value is altered in silence. This folder keeps the promise:
//
// - decimal.ts, decimal-text.ts: numbers that a double cannot hold; their canonical form, order and subtraction
// - instant.ts, instant-text.ts: times with every digit of their fraction; the one reader of ISO 8601
// - cursor-order.ts: cursor values, compared as numbers, times or text
// - json/parse-json.ts, json/parse-in-parts.ts: JSON of an API, in which no number changes
// - json/lenient-json.ts: JSON with single values that JSON does not know; utf8.ts: bytes that are not UTF-8
// - json/strict-json.ts: JSON for a jsonb column, or a reason why the value cannot be stored
// - json/stored-json.ts, json/kept-as-json.ts: JSON of a rejected record, with as much of it as JSON can hold
// - text.ts: texts that PostgreSQL cannot store
//
// Types of columns are the other half: load/values decides which values a column returns unchanged.

/**
 * A decimal number that a double would change. It keeps the text that the API sent. `toString` and `toJSON` return the
 * text; arithmetic throws.
 *
 * @example
 * new Decimal('0.10').text // '0.10'
 */
export class Decimal {
  readonly text: string

  constructor(text: string) {
    this.text = text
    Object.freeze(this)
  }

  toString(): string {
    return this.text
  }

  toJSON(): string {
    return this.text
  }

  valueOf(): never {
    throw new TypeError(
      `A JavaScript number cannot hold ${this.text}. Use its text, String(value), or leave the field as it is`,
    )
  }
}
