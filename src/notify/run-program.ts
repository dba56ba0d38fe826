import { spawn } from 'node:child_process'

export interface RunProgramOptions {
  /** What it reads from stdin. */
  readonly input: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborting it kills the program. */
  readonly signal: AbortSignal
}

const MAX_SHOWN = 500

/** Runs a program without a shell. Throws if it cannot be started, or ends with another code than 0. */
export async function runProgram(
  [program = '', ...words]: readonly string[],
  { input, environment, signal }: RunProgramOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const child = spawn(program, words, {
    env: environment,
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MAX_SHOWN)))
  // A program that reads nothing closes its end.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  child.once('error', (error) => reject(signal.aborted ? signal.reason : error))
  child.once('close', (code, killedBy) => {
    if (code === 0) resolve()
    else reject(new Error(`it ended with ${code ?? killedBy}${said.trim() === '' ? '' : `: ${said.trim()}`}`))
  })
  return promise
}
