/** Returns a bound, and throws `RangeError` unless it is a whole number of at least 1. */
export function atLeastOne(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} must be a positive integer, not ${value}`)
  return value
}
