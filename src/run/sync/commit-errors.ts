import { isRowError, sqlState } from '../../database/errors.ts'

/** True if a row may be to blame, or two rows that only the database takes for equal (21000). */
export const isSplittable = (error: unknown): boolean => isRowError(error) || sqlState(error) === '21000'

/** True for the ledger's fence: the slice's token or batch number is not as expected. */
export const isFenceError = (error: unknown): boolean => sqlState(error) === 'SL001'
