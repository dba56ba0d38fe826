/** A bound has to be a whole number of one or more; anything else would mean "wait for ever" or "without bound". */
export function atLeastOne(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} must be a positive integer, not ${value}`)
  return value
}
