import { inspect } from 'node:util'
import { CancelledError, PausedError, UsageError } from '../../model/errors.ts'
import type { Secrets } from '../../model/scope.ts'
import { excerptOf, placeOf } from '../../observe/user-place.ts'
import { problemText } from '../../run/report/problem-text.ts'

export interface PrintErrorOptions {
  /** Prints the stacks of an error and of its causes too. */
  readonly verbose: boolean
  readonly hide: Secrets['hide']
}

/**
 * Prints an error on stderr as one message, and the line of the user's file that it comes from. Returns its exit code.
 */
export function printError(error: unknown, { verbose, hide }: PrintErrorOptions): number {
  const isStopped = error instanceof CancelledError
  const text = problemText(error, 'sluice')
  console.error(hide(isStopped ? `sluice: ${text}` : text))
  const excerpt = isStopped ? undefined : excerptFor(error)
  if (excerpt !== undefined) console.error(hide(`\n${excerpt}\n`))
  if (verbose && !isStopped) printStack(error, hide)
  return exitCodeOf(error)
}

/** Returns the line of the user's file that an error comes from, with the one before it; undefined if none is known. */
export function excerptFor(error: unknown): string | undefined {
  const place = placeOf(error)
  return place && excerptOf(place)
}

/** Returns 130 if the command was stopped by a signal, 2 for wrong usage, 1 for any other error, as for a pause. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof PausedError) return 1
  if (error instanceof CancelledError) return 130
  return error instanceof UsageError ? 2 : 1
}

/** Prints the stack of an error and of its causes. */
export function printStack(error: unknown, hide: Secrets['hide']): void {
  console.error(hide(inspect(error, { depth: 4 })))
}
