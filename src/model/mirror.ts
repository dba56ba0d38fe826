// A table that has the rows of its stream and no others.

/** A number of rows, or a share of the rows of a table. */
export type MostDeletes = number | `${number}%`

/** Options of a table that has the rows of its stream and no others. */
export interface MirrorOptions {
  /**
   * Other streams whose rows may be deleted too, such as the former name of this one, as `pipeline.stream` or as a
   * stream of the same pipeline. @default none: the rows of other streams are an error
   */
  readonly rowsOf?: readonly string[]
  /**
   * For lists below parents: the fields of a row that name its parent, each with the field of the parent's record, as
   * in `{ orderId: 'id' }`. A list that was read whole then loses its rows also if other lists were not read.
   * @default a reading of all parents and lists decides
   */
  readonly parent?: Readonly<Record<string, string>>
}

/** Rows that a reading of a mirror may delete by default, if they are more than 10 % of a table. */
const DEFAULT_ROWS = 10

/**
 * Returns how many of the rows of a table one reading of a mirror may delete. By default 10 %, or 10 rows if these are
 * fewer than half of them: an API that returns half of its list, or nothing, never passes.
 */
export function deleteLimit(most: MostDeletes | undefined, rows: number): number {
  if (typeof most === 'number') return most
  if (most !== undefined) return Math.floor((rows * shareOf(most)) / 100)
  return Math.max(Math.floor(rows / 10), Math.min(DEFAULT_ROWS, Math.ceil(rows / 2) - 1))
}

/** Returns the reason why a limit of deletions cannot be meant, as the end of a sentence; undefined if it can. */
export function mostDeletesProblem(most: unknown): string | undefined {
  if (typeof most === 'number' && Number.isSafeInteger(most) && most >= 0) return undefined
  if (typeof most === 'string' && shareOf(most) <= 100) return undefined
  return `is a number of rows, or a share of them such as '10%', not ${JSON.stringify(most)}`
}

const shareOf = (text: string): number => (/^\d+(?:\.\d+)?%$/.test(text) ? Number.parseFloat(text) : NaN)
