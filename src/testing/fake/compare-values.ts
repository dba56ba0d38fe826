/** Compares numbers, times and text, as an API compares its records with a parameter. */
export function compareValues(a: unknown, b: unknown): number {
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return left - right
  const [first, second] = [String(a), String(b)]
  if (first === second) return 0
  return first < second ? -1 : 1
}

/** Returns the number of a number, of a text of digits, or of a time. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const text = String(value)
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  const time = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}
