import { inspect } from 'node:util'
import { CancelledError, UsageError } from '../../model/errors.ts'
import type { Secrets } from '../../model/scope.ts'
import { problemText } from '../../run/report/problem-text.ts'

export interface PrintErrorOptions {
  /** Prints the stacks of an error and of its causes too. */
  readonly verbose: boolean
  readonly hide: Secrets['hide']
}

/** Prints an error on stderr as one message. Returns its exit code. */
export function printError(error: unknown, { verbose, hide }: PrintErrorOptions): number {
  const isStopped = error instanceof CancelledError
  const text = problemText(error, 'sluice')
  console.error(hide(isStopped ? `sluice: ${text}` : text))
  if (verbose && !isStopped) printStack(error, hide)
  return exitCodeOf(error)
}

/** Returns 130 if the command was stopped by a signal, 2 for wrong usage, 1 for any other error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CancelledError) return 130
  return error instanceof UsageError ? 2 : 1
}

/** Prints the stack of an error and of its causes. */
export function printStack(error: unknown, hide: Secrets['hide']): void {
  console.error(hide(inspect(error, { depth: 4 })))
}
