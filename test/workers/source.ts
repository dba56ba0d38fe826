// What the API of the proof has: entries that are spread over days, read window by window, and items of accounts.

/** The first moment of all records. */
export const START = Date.UTC(2023, 0, 1)
export const DAY = 86_400_000

export interface Sizes {
  /** Records of the API; half of them are entries, half items of the accounts. */
  readonly records: number
  readonly windows: number
  readonly accounts: number
  readonly pageSize: number
}

export const entriesOf = ({ records, accounts }: Sizes): number => (accounts === 0 ? records : Math.ceil(records / 2))

/** Items of each account. All have the same number. */
export const itemsOf = ({ records, accounts }: Sizes): number =>
  accounts === 0 ? 0 : Math.floor(Math.floor(records / 2) / accounts)

export const accountNames = ({ accounts }: Sizes): string[] =>
  Array.from({ length: accounts }, (_, n) => `a${String(n + 1).padStart(3, '0')}`)

/** How many records there are in how many days. */
export interface Spread {
  readonly count: number
  readonly windows: number
}

/** Whole milliseconds between two records, so that no rounding puts one on the wrong side of a bound. */
const stepOf = ({ count, windows }: Spread): number => Math.floor((windows * DAY) / count)

/** The first record at or after an instant: records are spread evenly over the days. */
export const recordAt = (instant: number, spread: Spread): number =>
  Math.min(spread.count, Math.max(0, Math.ceil((instant - START) / stepOf(spread))))

export const timeOf = (id: number, spread: Spread): string => new Date(START + id * stepOf(spread)).toISOString()
