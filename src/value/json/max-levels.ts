import { formatNumber } from '../format.ts'

/** Objects and lists in each other that a value, or a body, may have: deeper ones would overflow the stack. */
export const MAX_LEVELS = 1_000

/** What is wrong with a value that has more, to follow its path or `it`. */
export const TOO_DEEP = `is nested more than ${formatNumber(MAX_LEVELS)} levels deep`
