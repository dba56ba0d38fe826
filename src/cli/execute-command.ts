import { knownSecrets, loadEnvironment } from './environment.ts'
import { interruptSignal } from './interrupt-signal.ts'
import { printError, type PrintErrorOptions } from './output/print-error.ts'

/** What every command may be told. */
export interface CommonOptions {
  readonly verbose?: boolean
  /** Where the tables are. */
  readonly database?: string
}

export interface CommandContext extends PrintErrorOptions {
  /** Aborts when the command is asked to stop. */
  readonly signal: AbortSignal
}

/** Carry out a command: its environment, its end by a signal, its faults as one message, and its exit code. */
export async function executeCommand(
  { verbose = false, database }: CommonOptions,
  work: (context: CommandContext) => Promise<number>,
): Promise<void> {
  using stop = interruptSignal()
  // Whoever reads our output may leave (`| head`); that is no reason to stop writing to the database.
  process.stdout.on('error', ignoreBrokenPipe)
  process.stderr.on('error', ignoreBrokenPipe)
  loadEnvironment()
  const { hide } = knownSecrets(process.env, database)
  try {
    process.exitCode = await work({ signal: stop.signal, verbose, hide })
  } catch (error) {
    process.exitCode = printError(error, { verbose, hide })
  }
  await Promise.all([process.stdout, process.stderr].map(flushed))
  // A pipeline file may have opened something that nobody closes; without it the process ends by itself before this.
  setTimeout(() => process.exit(), 1_000).unref()
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
