import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Report } from '../../src/model/report.ts'
import { BrokenPromise } from './broken-promise.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PIPELINE = join(import.meta.dirname, 'pipelines', 'kill.ts')

/** Returns the command without npm: the process that is killed must be Sluice itself. */
export function sluice(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): { file: string; args: string[]; environment: NodeJS.ProcessEnv } {
  // Stripped types are kept between runs: thousands of processes start here.
  const cache = { NODE_COMPILE_CACHE: join(tmpdir(), 'sluice-kill-compile-cache') }
  return {
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), ...args],
    environment: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...cache, ...environment },
  }
}

export interface ProcessSettings {
  /** @default the pipeline of `write` */
  readonly pipeline?: string
  /** Another command than `run`, with its arguments. */
  readonly command?: readonly string[]
  readonly database: string
  readonly api: string
  readonly batchRows: number
  readonly flags?: readonly string[]
  /** Milliseconds after which it is taken to hang. @default 120_000 */
  readonly limit?: number
  readonly environment?: Readonly<Record<string, string>>
}

export interface RunSettings {
  readonly database: string
  readonly api: string
  readonly write: 'append' | 'merge' | 'mirror' | 'history' | 'replace'
  readonly batchRows: number
  /** The name of the run for the API. @default '' */
  readonly name?: string | undefined
  readonly flags?: readonly string[]
  /** Milliseconds after which it is taken to hang. @default 120_000 */
  readonly limit?: number
}

/** Returns the environment of a run of the pipeline `kill`. */
export const killEnvironment = ({ write, name = '' }: Pick<RunSettings, 'write' | 'name'>): Record<string, string> => ({
  KILL_WRITE: write,
  KILL_NAME: name,
})

/** Runs that have not ended: one that is stopped would outlive the harness. */
const living = new Set<SluiceRun>()

/** For the end of the harness, however it comes. */
export function killAll(): void {
  for (const run of living) run.kill()
}

/** A run of `sluice run`, or of another command, as a process of its own. */
export class SluiceRun {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>

  constructor(settings: ProcessSettings) {
    const { pipeline = PIPELINE, database, api, batchRows, flags = [], limit = 120_000 } = settings
    const run = ['run', pipeline, '--json', '--batch-rows', String(batchRows), ...flags]
    const { file, args, environment } = sluice(settings.command ?? run, {
      DATABASE_URL: database,
      KILL_API: api,
      ...settings.environment,
    })
    this.process = spawn(file, args, { env: environment, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
    living.add(this)
    this.process.once('exit', () => living.delete(this))
    this.ended = ended(this.process, limit)
  }

  /** Nothing of the process goes on after this. */
  kill(): void {
    this.process.kill('SIGKILL')
  }

  stop(): void {
    this.process.kill('SIGSTOP')
  }

  goOn(): void {
    this.process.kill('SIGCONT')
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly report: Report | undefined
}

async function ended(child: ChildProcess, limit: number): Promise<Ended> {
  let hangs = false
  const timer = setTimeout(() => (hangs = child.kill('SIGKILL')), limit)
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  clearTimeout(timer)
  if (hangs) throw new BrokenPromise(`a run has not ended within ${limit / 1_000} s:\n${stderr}`)
  return { code, signal, stdout, stderr, report: parsed(stdout) }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) all += chunk
  return all
}

function parsed(stdout: string): Report | undefined {
  try {
    return JSON.parse(stdout) as Report
  } catch {
    return undefined
  }
}
