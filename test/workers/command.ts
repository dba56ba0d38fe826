import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { sluice } from '../kill/sluice.ts'
import type { Hosts } from './hosts.ts'

/** Lines of output that are kept, to understand a fault. */
const KEPT = 60

/** A command of Sluice on a host. */
export class Command {
  readonly name: string
  readonly process: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals>
  readonly #lines: string[] = []
  /** Its last line on stdout: with `--json` the report. */
  #last = ''
  readonly #counts = new Map<string, number>()

  constructor(
    name: string,
    hosts: Hosts,
    {
      host,
      args,
      environment,
    }: {
      /** @default a host beyond those that have names: this machine */
      readonly host?: number
      readonly args: readonly string[]
      readonly environment: Readonly<Record<string, string>>
    },
  ) {
    this.name = name
    const { file, args: all, environment: env } = sluice(args, environment)
    this.process = hosts.spawn(host ?? -1, file, all, env)
    for (const stream of [this.process.stdout!, this.process.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.#hear(line, stream === this.process.stdout))
    // 'close' comes after the last line.
    this.ended = once(this.process, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  get lastLine(): string {
    return this.#last
  }

  /** How often it has told an event of this type. */
  count(type: string): number {
    return this.#counts.get(type) ?? 0
  }

  /** What is needed to understand a fault. */
  get text(): string {
    return `--- ${this.name}, last lines:\n${this.#lines.join('\n')}`
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  #hear(line: string, isStdout: boolean): void {
    if (isStdout) this.#last = line
    this.#lines.push(line.slice(0, 2_000))
    if (this.#lines.length > KEPT) this.#lines.shift()
    const type = /"type":"([\w.]+)"/.exec(line)?.[1]
    if (type !== undefined) this.#counts.set(type, this.count(type) + 1)
  }
}
