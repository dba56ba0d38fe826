import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { messageOf } from '../../src/value/error.ts'

const run = promisify(execFile)
const ip = async (...words: readonly string[]): Promise<void> => void (await run('ip', words))

/**
 * Hosts of one machine: each is a network namespace of Linux, with an address of its own on a bridge. Without the right
 * to make namespaces all of them are this machine, and none can be cut off.
 */
export class Hosts implements AsyncDisposable {
  /** Why there are no namespaces; undefined if there are. */
  readonly lack: string | undefined
  readonly #prefix: string
  readonly #names: readonly string[]

  private constructor(prefix: string, names: readonly string[], lack?: string) {
    this.#prefix = prefix
    this.#names = names
    this.lack = lack
  }

  static async open(count: number): Promise<Hosts> {
    const prefix = `sl${process.pid}`
    const names = Array.from({ length: count }, (_, n) => `${prefix}h${n + 1}`)
    const hosts = new Hosts(prefix, names)
    try {
      await ip('link', 'add', `${prefix}b`, 'type', 'bridge')
      await ip('addr', 'add', `${hosts.gateway}/24`, 'dev', `${prefix}b`)
      await ip('link', 'set', `${prefix}b`, 'up')
      for (const [n, name] of names.entries()) await hosts.#add(n, name)
      return hosts
    } catch (error) {
      await hosts[Symbol.asyncDispose]()
      return new Hosts(prefix, [], messageOf(error).trim().split('\n').at(-1))
    }
  }

  /** The address of this machine, as its hosts see it. */
  get gateway(): string {
    return this.lack === undefined ? `${subnet}.1` : '127.0.0.1'
  }

  /** The addresses of the hosts, for `pg_hba.conf`. */
  get range(): string {
    return this.lack === undefined ? `${subnet}.0/24` : '127.0.0.0/8'
  }

  /** Starts a program on a host, counted from 0. The process is the program itself, and may be killed and stopped. */
  spawn(n: number, file: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const name = this.#names[n]
    const options: SpawnOptions = { env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] }
    return name === undefined
      ? spawn(file, args, options)
      : spawn('ip', ['netns', 'exec', name, file, ...args], options)
  }

  /** Unplugs a host: what it sends from now on reaches nobody, and nobody tells it. */
  async cutOff(n: number): Promise<void> {
    await ip('link', 'set', this.#cable(n), 'down')
  }

  async joinAgain(n: number): Promise<void> {
    await ip('link', 'set', this.#cable(n), 'up')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [n, name] of this.#names.entries()) {
      await ip('link', 'del', this.#cable(n)).catch(() => {})
      await ip('netns', 'del', name).catch(() => {})
    }
    await ip('link', 'del', `${this.#prefix}b`).catch(() => {})
  }

  async #add(n: number, name: string): Promise<void> {
    await ip('netns', 'add', name)
    await ip('link', 'add', this.#cable(n), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    await ip('link', 'set', this.#cable(n), 'master', `${this.#prefix}b`, 'up')
    await ip('-n', name, 'addr', 'add', `${subnet}.${n + 11}/24`, 'dev', 'eth0')
    await ip('-n', name, 'link', 'set', 'eth0', 'up')
    await ip('-n', name, 'link', 'set', 'lo', 'up')
  }

  #cable(n: number): string {
    return `${this.#prefix}v${n + 1}`
  }
}

/** Of the private networks, and another one for each process that has this id modulo 200. */
const subnet = `10.231.${process.pid % 200}`
