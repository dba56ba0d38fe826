import type { Secrets } from '../model/scope.ts'
import { openProgramTelemetry } from '../observe/telemetry/telemetry.ts'
import { knownSecrets, loadEnvironment } from './environment.ts'
import { interruptSignal } from './interrupt-signal.ts'
import { printDatabaseWaits } from './output/database-waits.ts'
import { printError, type PrintErrorOptions } from './output/print-error.ts'

/** A collector of traces that does not answer is waited for this long at the end. */
const FLUSH_MS = 5_000

/** Options that every command has. */
export interface CommonOptions {
  readonly verbose?: boolean
  /** One line on stdout or stderr for each pipeline. */
  readonly quiet?: boolean
  /** URL of the database that holds the tables. */
  readonly database?: string
}

/** Passed to every command beside its arguments and options. */
export interface CommandContext extends PrintErrorOptions {
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Hides a further value in all output: a secret of an account. */
  readonly register: NonNullable<Secrets['register']>
}

/**
 * Runs a command and sets the exit code. Loads `.env` first, turns signals into an abort, and prints an error as one
 * message.
 */
export async function executeCommand(
  { verbose = false, quiet = false, database }: CommonOptions,
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  using stop = interruptSignal()
  // A mail of cron is for what is wrong. A wait that ends well is not.
  using _ = quiet && !process.stderr.isTTY ? undefined : printDatabaseWaits()
  loadEnvironment()
  const { hide, register = () => {} } = knownSecrets(process.env, database)
  const telemetry = openProgramTelemetry({
    environment: process.env,
    warn: (message) => console.error(hide(`sluice: ${message}`)),
  })
  try {
    process.exitCode = await command({ signal: stop.signal, verbose, hide, register })
  } catch (error) {
    process.exitCode = printError(error, { verbose, hide })
  } finally {
    await telemetry.close(stop.timeLeft(FLUSH_MS))
  }
}
