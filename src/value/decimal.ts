/**
 * A decimal number that a double would change, kept as the text that the API sent.
 * `toString` and `toJSON` give the text; arithmetic on it throws, so that no digit is lost in silence.
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
      `${this.text} cannot be held by a JavaScript number: use its text (String(value)), or leave the field as it is`,
    )
  }
}
