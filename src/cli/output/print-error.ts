import { inspect } from 'node:util'
import { CancelledError, UsageError } from '../../model/errors.ts'
import type { Secrets } from '../../model/scope.ts'
import { problemText } from '../../run/report/problem-text.ts'

export interface PrintErrorOptions {
  /** Show where it was thrown, and what was underneath. */
  readonly verbose: boolean
  readonly hide: Secrets['hide']
}

/**
 * Say on stderr what went wrong, in one message, and answer the exit code that fits: 1 failed, 2 wrong usage, 130
 * stopped from outside.
 */
export function printError(error: unknown, { verbose, hide }: PrintErrorOptions): number {
  const isStopped = error instanceof CancelledError
  const text = problemText(error, 'sluice')
  console.error(hide(isStopped ? `sluice: ${text}` : text))
  if (verbose && !isStopped) printStack(error, hide)
  return exitCodeOf(error)
}

/** 1 failed, 2 wrong usage, 130 stopped from outside. */
export const exitCodeOf = (error: unknown): number =>
  error instanceof CancelledError ? 130 : error instanceof UsageError ? 2 : 1

/** The stack of an error and of its causes. */
export function printStack(error: unknown, hide: Secrets['hide']): void {
  console.error(hide(inspect(error, { depth: 4 })))
}
