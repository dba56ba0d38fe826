import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const script = join(import.meta.dirname, 'holder.ts')

/** Another process that uses the embedded server of a directory. */
export class Holder implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exit: Promise<unknown>

  private constructor(url: string, child: ChildProcessWithoutNullStreams, exit: Promise<unknown>) {
    this.url = url
    this.#child = child
    this.#exit = exit
  }

  /** Starts the process and waits for its connection. `as` precedes the command, to run it as another user. */
  static async start(dir: string, as: readonly string[] = []): Promise<Holder> {
    const [command, ...words] = [...as, process.execPath, script, dir]
    const child = spawn(command, words, { cwd: '/', env: { PATH: process.env['PATH'] } })
    const exit = once(child, 'exit')
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    for await (const url of createInterface({ input: child.stdout })) return new Holder(url, child, exit)
    throw new Error(`the holder ended: ${said}`)
  }

  /** Kills the process without any cleanup. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** Ends the process and waits until it has left the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    await this.#exit
  }
}
