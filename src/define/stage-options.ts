// Options that several stages have.
import { UsageError } from '../model/errors.ts'
import { rejectUnknownOptions } from '../model/unknown-option.ts'

/** Options of stages that call a function. */
export interface StageOptions {
  /** Records that are worked on at the same time. @default 1 */
  concurrency?: number
}

/** Options of `.dedupe()`: the number of different records that are remembered. @default 1_000_000 */
export interface DedupeOptions {
  last?: number
}

/** Returns a function. Throws a UsageError for anything else. */
export function proven<Fn>(word: string, fn: Fn): Fn {
  if (typeof fn === 'function') return fn
  throw new UsageError(`${word}: expected a function, not ${fn === null ? 'null' : typeof fn}`)
}

/** Returns how many records a stage works on at once. Throws a UsageError for a wrong number. */
export function atOnce(stage: string, options: StageOptions, otherwise = 1): number {
  rejectUnknownOptions(`.${stage}()`, options, { concurrency: true })
  const { concurrency = otherwise } = options
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new UsageError(`.${stage}(): concurrency must be a whole number from 1, not ${concurrency}`)
  return concurrency
}
