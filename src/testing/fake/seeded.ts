import { createHash } from 'node:crypto'

/** Returns a number from 0 to below 1 that depends on the seed and the words only. */
export function seeded(seed: number, ...words: readonly (string | number)[]): number {
  const hash = createHash('sha256').update(JSON.stringify([seed, ...words]))
  return hash.digest().readUInt32BE(0) / 2 ** 32
}

/** Returns a whole number from `from` to `to`, both included. */
export const seededWhole = (from: number, to: number, seed: number, ...words: readonly (string | number)[]): number =>
  from + Math.floor(seeded(seed, ...words) * (to - from + 1))
