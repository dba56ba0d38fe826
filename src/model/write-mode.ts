// What the write modes have in common.
import type { Table } from './recipe.ts'

/**
 * True if a row that is read again is compared with the stored row of its key, and left alone if it is equal. Such a
 * table may be read again as often as wanted.
 */
export const isMerged = ({ write }: Pick<Table, 'write'>): boolean => write === 'merge'
