import { knownSecrets, loadEnvironment } from './environment.ts'
import { interruptSignal } from './interrupt-signal.ts'
import { printError, type PrintErrorOptions } from './output/print-error.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly verbose?: boolean
  /** URL of the database that holds the tables. */
  readonly database?: string
}

/** Passed to every command beside its arguments and options. */
export interface CommandContext extends PrintErrorOptions {
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/**
 * Runs a command and sets the exit code. Loads `.env` first, turns signals into an abort, and prints an error as one
 * message.
 */
export async function executeCommand(
  { verbose = false, database }: CommonOptions,
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  using stop = interruptSignal()
  // The reader of our output may exit early (`| head`). The run continues.
  process.stdout.on('error', ignoreBrokenPipe)
  process.stderr.on('error', ignoreBrokenPipe)
  loadEnvironment()
  const { hide } = knownSecrets(process.env, database)
  try {
    process.exitCode = await command({ signal: stop.signal, verbose, hide })
  } catch (error) {
    process.exitCode = printError(error, { verbose, hide })
  }
  await Promise.all([process.stdout, process.stderr].map(flushed))
  // A pipeline file may leave a handle open. Without one, the process exits before this timer.
  setTimeout(() => process.exit(), 1_000).unref()
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** Resolves when everything written so far has left the process. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
