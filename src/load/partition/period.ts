import type { PartitionLength } from '../../model/partition.ts'

/** A range of time, in milliseconds since 1970. The end is not included. */
export interface Period {
  readonly from: number
  readonly to: number
}

const DAY_MS = 86_400_000

/** 1970 began on a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS

/** Returns the day, week, month or year of UTC that a time lies in. Weeks begin on Monday. */
export function periodOf(ms: number, every: PartitionLength): Period {
  const time = new Date(ms)
  const [year, month] = [time.getUTCFullYear(), time.getUTCMonth()]
  switch (every) {
    case '1d':
      return ofDays(ms, 1, 0)
    case '1w':
      return ofDays(ms, 7, FIRST_MONDAY_MS)
    case '1mo':
      return { from: utc(year, month), to: utc(year, month + 1) }
    case '1y':
      return { from: utc(year, 0), to: utc(year + 1, 0) }
  }
}

function ofDays(ms: number, days: number, origin: number): Period {
  const length = days * DAY_MS
  const from = Math.floor((ms - origin) / length) * length + origin
  return { from, to: from + length }
}

/** `Date.UTC` takes the years 0 to 99 for those of the last century. */
function utc(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, 1)
  return date.getTime()
}

/** Returns what is written behind the table's name: `2024_01` for a month, `2024_01_29` for a day or a week. */
export function periodName({ from }: Period, every: PartitionLength): string {
  const [year = '', month = '', day = ''] = new Date(from).toISOString().slice(0, 10).split('-')
  const parts = { '1d': [year, month, day], '1w': [year, month, day], '1mo': [year, month], '1y': [year] }
  return parts[every].join('_')
}
