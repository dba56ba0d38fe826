import { seededWhole } from './seeded.ts'

/** A record of a fake API: any JSON object. */
export type FakeRecord = Readonly<Record<string, unknown>>

/** A record as the fake API generates it. */
export interface GeneratedRecord {
  /** Counted from 1. */
  readonly id: number
  /** Unique. */
  readonly name: string
  /** Two decimals, as text. */
  readonly amount: string
  readonly active: boolean
  /** In ascending order. Some records have the same time as the one before. */
  readonly updated_at: string
}

const NAMES = ['Ada', 'Björk', 'Chidi', 'Dana', 'Émile', 'Farah', 'Goro', 'Hedy', 'Ines', 'Jun', '刘洋', "O'Neil"]
const START = Date.UTC(2025, 0, 1)

/**
 * Returns records with an id, a name, an amount, a flag and a time, the same ones for the same seed.
 *
 * @example
 * const [first] = fakeRecords(25) // { id: 1, name: 'Dana 1', amount: '731.20', active: true, updated_at: '2025-…' }
 */
export function fakeRecords(count: number, seed = 1): GeneratedRecord[] {
  let time = START
  return Array.from({ length: count }, (_, index) => {
    const id = index + 1
    const whole = (from: number, to: number, word: string): number => seededWhole(from, to, seed, word, id)
    time += whole(0, 3, 'minutes') * 60_000
    return {
      id,
      name: `${NAMES[whole(0, NAMES.length - 1, 'name')]} ${id}`,
      amount: (whole(1, 99_999, 'amount') / 100).toFixed(2),
      active: whole(0, 3, 'active') > 0,
      updated_at: new Date(time).toISOString(),
    }
  })
}
